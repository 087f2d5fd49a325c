from collections.abc import AsyncIterator, Callable

import pytest

from tests.unit.admission.simulation import Simulation

OpenSimulation = Callable[..., Simulation]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def open_simulation() -> AsyncIterator[OpenSimulation]:
    """Makes halls that are cleared at the end."""
    halls: list[Simulation] = []

    def make(slots: int = 2, **settings: object) -> Simulation:
        halls.append(Simulation(slots, **settings))
        return halls[-1]

    yield make
    for simulation in halls:
        await simulation.clear()

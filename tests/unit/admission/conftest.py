from collections.abc import AsyncIterator, Callable

import pytest

from tests.unit.admission.simulation import Simulation

OpenSimulation = Callable[..., Simulation]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def open_simulation() -> AsyncIterator[OpenSimulation]:
    """Makes simulations that are cleared at the end."""
    simulations: list[Simulation] = []

    def make(slots: int = 2, **settings: object) -> Simulation:
        simulations.append(Simulation(slots, **settings))
        return simulations[-1]

    yield make
    for simulation in simulations:
        await simulation.clear()

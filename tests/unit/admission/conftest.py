from collections.abc import AsyncIterator, Callable

import pytest

from tests.unit.admission.simulation import Hall

OpenHall = Callable[..., Hall]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def open_hall() -> AsyncIterator[OpenHall]:
    """Makes halls that are cleared at the end."""
    halls: list[Hall] = []

    def make(slots: int = 2, **settings: object) -> Hall:
        halls.append(Hall(slots, **settings))
        return halls[-1]

    yield make
    for hall in halls:
        await hall.clear()

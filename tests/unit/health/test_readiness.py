"""What /readyz says costs nothing to ask: the checks are shared."""

import asyncio
from typing import Any

import pytest

from orchestrator.guard.reports import ModelReport, Reports
from orchestrator.health.readiness import Check, Readiness
from orchestrator.health.settings import HealthSettings
from orchestrator.lib import database
from tests.virtual_time import BACKEND

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> object:
    return BACKEND


class World:
    """Stands for the store and the catalog. There is no database here."""

    def __init__(self) -> None:
        clock = asyncio.get_running_loop().time
        self.probes = 0
        self.known = {"espeak"}
        self.reports = Reports(clock)
        world: Any = self
        self.readiness = Readiness(world, world, self.reports, HealthSettings(), clock)

    async def probe(self) -> None:
        self.probes += 1
        await asyncio.sleep(0.5)

    def knows(self, model: str) -> bool:
        return model in self.known

    async def checks(self) -> dict[str, Check]:
        return {check.name: check for check in await self.readiness.checks()}


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> World:
    # An address without a name: to look one up takes a thread, whose time is not that of these tests.
    monkeypatch.setattr(database.DB, "config", {"dsn": "postgresql://nobody@127.0.0.1:1/nothing"})
    return World()


async def test_many_questions_make_one_check(world: World) -> None:
    async def one() -> None:
        assert (await world.checks())["store"].ok

    for _ in range(3):
        async with asyncio.TaskGroup() as tasks:
            for _ in range(100):
                tasks.create_task(one())
    assert world.probes == 1
    await asyncio.sleep(HealthSettings().shared_seconds)
    await one()
    assert world.probes == 2


async def test_models_are_as_the_last_reports_say(world: World) -> None:
    assert not (await world.checks())["models"].ok
    world.reports.put(ModelReport(model="espeak", state="speaks", spoke_seconds_ago=1))
    found = (await world.checks())["model espeak"]
    assert (found.ok, found.detail) == (True, "spoke")
    world.reports.put(ModelReport(model="higgs", state="loading"))
    found = (await world.checks())["model higgs"]
    assert (found.ok, found.detail) == (False, "has not spoken yet (loading)")
    await asyncio.sleep(20)
    found = (await world.checks())["model espeak"]
    assert (found.ok, found.detail) == (False, "no longer speaks (speaks)")
    assert world.probes == 2


async def test_a_model_that_the_catalog_does_not_know_yet_is_not_ready(world: World) -> None:
    world.reports.put(ModelReport(model="kokoro", state="speaks", spoke_seconds_ago=1))
    assert not (await world.checks())["model kokoro"].ok
    world.known.add("kokoro")
    assert (await world.checks())["model kokoro"].ok


async def test_a_guard_that_is_away_is_told(world: World) -> None:
    world.reports.trouble = "the guard at http://x does not answer"
    assert "does not answer" in (await world.checks())["models"].detail

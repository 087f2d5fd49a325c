"""Processes agree by a row in Postgres on who makes a segment."""

import asyncio
from uuid import uuid4

import pytest

from orchestrator.lib.leases import Leases

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("connected")]


async def test_one_holds_it_and_the_other_waits() -> None:
    key = uuid4().hex
    order: list[str] = []
    holding, waiting = asyncio.Event(), asyncio.Event()

    async def hold(name: str) -> bool:
        async with Leases().hold(key, on_wait=waiting.set) as contended:
            order.append(f"{name} in")
            holding.set()
            await waiting.wait()
            order.append(f"{name} out")
            return contended

    first = asyncio.create_task(hold("first"))
    await holding.wait()
    second = await hold("second")
    assert (await first, second) == (False, True)
    assert order == ["first in", "first out", "second in", "second out"]


async def test_a_dead_holders_lease_is_taken_over() -> None:
    key = uuid4().hex
    dead = Leases().hold(key)
    await dead.__aenter__()  # and never renewed, as by a process that was killed
    async with asyncio.timeout(60), Leases().hold(key) as contended:
        assert contended


async def test_a_living_holder_keeps_it() -> None:
    key = uuid4().hex
    living = Leases()
    renewing = asyncio.create_task(living.keep_renewing())
    try:
        async with living.hold(key):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(8), Leases().hold(key):
                    pytest.fail("two hold one lease")
    finally:
        renewing.cancel()

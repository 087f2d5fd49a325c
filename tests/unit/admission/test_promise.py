"""What is promised is kept: by the clock of a virtual loop, with a model whose speed is known."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.accounts.requester import Requester
from tests.unit.admission.known_speed import Asked, Scene, now
from tests.unit.admission.simulation import batch, live
from tests.virtual_time import VirtualLoop

WAIT = 30.0
SENTENCE = 4.0  # seconds of speech


def play(story: Callable[[], Coroutine[Any, Any, Scene]]) -> Scene:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(story())


def test_eight_at_once_are_all_served_in_the_order_of_their_coming() -> None:
    async def story() -> Scene:
        scene = Scene(speed=2.0, slots=2)
        with scene.running():
            async with asyncio.TaskGroup() as group:
                for _ in range(8):
                    group.create_task(scene.ask(live(), SENTENCE))
        return scene

    asked = play(story).asked
    assert all(one.ended is not None for one in asked)
    assert [one.order for one in asked] == list(range(8))


def test_with_two_listeners_beside_them_all_are_served_and_no_listener_has_an_underrun() -> None:
    async def story() -> Scene:
        scene = Scene(speed=4.0, slots=2)
        with scene.running():
            async with asyncio.TaskGroup() as group:
                for name in ("one", "two"):
                    group.create_task(scene.listen(live("ann", name), [5.0] * 24))
                await asyncio.sleep(10)
                for _ in range(8):
                    group.create_task(scene.ask(live("bob"), SENTENCE))
        return scene

    scene = play(story)
    assert not scene.underruns
    assert not scene.overtaken
    assert all(one.ended is not None for one in scene.asked)
    assert [one.order for one in scene.asked] == list(range(8))


@pytest.mark.parametrize(("speed", "slots"), [(0.7, 1), (2.0, 2), (3.5, 2), (40.0, 8)])
def test_the_time_until_a_turn_is_foreseen(speed: float, slots: int) -> None:
    async def story() -> Scene:
        scene = Scene(speed=speed, slots=slots, admission_wait=1_000)
        with scene.running():
            await scene.warm_up()
            async with asyncio.TaskGroup() as group:
                for number in range(30):
                    group.create_task(scene.ask(live(), SENTENCE + number % 3))
        return scene

    for one in play(story).asked:
        assert one.entered is not None
        assert one.expected == pytest.approx(one.entered - one.came, rel=0.2, abs=SENTENCE / speed * slots / 2)


@pytest.mark.parametrize("listeners", [0, 1, 2])
def test_who_comes_again_when_told_to_is_served(listeners: int) -> None:
    """Thirty at once ask a model that makes some fifteen of them in the time."""
    again: list[Asked] = []

    async def story() -> Scene:
        scene = Scene(speed=4.0, slots=2)

        async def persist(requester: Requester) -> None:
            first = await scene.ask(requester, 8.0)
            if first.retry_after is not None:
                await asyncio.sleep(first.retry_after)
                again.append(await scene.ask(requester, 8.0))

        with scene.running():
            await scene.warm_up()
            streams = [
                asyncio.create_task(scene.listen(live("ann", f"{number}"), [5.0] * 60)) for number in range(listeners)
            ]
            async with asyncio.TaskGroup() as group:
                for _ in range(30):
                    group.create_task(persist(live("bob")))
            for stream in streams:
                stream.cancel()
        return scene

    scene = play(story)
    assert not scene.underruns
    refused = [one for one in scene.asked if one.at_once]
    assert refused, "they are more than can be served in the time"
    assert sum(one.ended is not None for one in again) >= 0.75 * len(again)
    for one in again:  # they might have come sooner, but not much
        assert one.entered is None or one.entered - one.came >= WAIT / 3


people = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "ask", "batch", "listen"]),
        st.sampled_from(["ann", "bob", "cid"]),
        st.floats(0, 60),  # when
        st.floats(1, 15),  # seconds of speech
    ),
    min_size=1,
    max_size=60,
)


@settings(deadline=None, max_examples=60)
@given(people=people, speed=st.sampled_from([1.0, 2.5, 6.0]), slots=st.integers(1, 4), cancelled=st.integers(0, 5))
def test_whoever_comes_whenever_promises_are_kept(
    people: list[tuple[str, str, float, float]], speed: float, slots: int, cancelled: int
) -> None:
    async def story() -> Scene:
        scene = Scene(speed=speed, slots=slots)
        chance = random.Random(f"{people}")

        async def come(number: int, what: str, name: str, at: float, work: float) -> None:
            await asyncio.sleep(at)
            if what == "listen":
                await scene.listen(live(name, f"{number}"), [work] * 4)
            elif what == "batch":
                await scene.ask(batch(name), work)
            else:
                await scene.ask(live(name), work)

        with scene.running():
            tasks = [asyncio.create_task(come(number, *one)) for number, one in enumerate(people)]
            for task in chance.sample(tasks, min(cancelled, len(tasks))):
                asyncio.get_running_loop().call_later(chance.uniform(0, 60), task.cancel)
            await asyncio.gather(*tasks, return_exceptions=True)
            assert (scene.queue.demand("live"), scene.queue.demand("batch"), scene.queue._in_slots) == ([], [], {})
            assert now() < 10_000
        return scene

    scene = play(story)
    assert not scene.overtaken, "a request got a slot while a listener's segment waited"
    requests = [one for one in scene.asked if one.requester.lane == "live"]
    for one in requests:
        if one.entered is not None:
            assert one.entered - one.came <= WAIT + 1e-6
        elif one.refused is not None:
            assert one.refused - one.came <= WAIT + 1e-6
            assert one.retry_after
    served = sorted((one for one in requests if one.entered is not None), key=lambda one: one.order or 0)
    for name in ("ann", "bob", "cid"):
        own = [one.number for one in served if one.requester == live(name)]
        assert own == sorted(own), "one was overtaken by a later one of its account"
    _check_that_none_starves(served)


def _check_that_none_starves(served: list[Asked]) -> None:
    """While a request waits, each other account has at most one turn more than its own."""
    for index, one in enumerate(served):
        meanwhile = [other for other in served[:index] if other.entered is not None and other.entered > one.came]
        own = sum(other.requester == one.requester for other in meanwhile)
        for requester in {other.requester for other in meanwhile} - {one.requester}:
            assert sum(other.requester == requester for other in meanwhile) <= own + 1

"""Requests for which there is no room yet: who waits, who comes in next, and who is sent away."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.lib.errors.problems import Busy
from tests.unit.admission.conftest import OpenSimulation
from tests.unit.admission.simulation import MODEL, Simulation, WaitingRequest, batch, live, settle

pytestmark = pytest.mark.anyio


async def test_who_finds_no_room_waits_until_there_is(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=2)
    one, two, three = [await simulation.request(live()) for _ in range(3)]
    assert (one.is_in, two.is_in, three.is_in) == (True, True, False)
    assert three.segment is None, "it is not admitted, and so keeps no segment waiting"
    await simulation.leave(one, after=30)
    assert three.is_in


async def test_who_comes_first_is_let_in_first(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    waiting_requests = [await simulation.request(live()) for _ in range(6)]
    for waiting in waiting_requests:
        assert [one.is_in for one in waiting_requests].count(True) == 1
        assert waiting.is_in
        await simulation.leave(waiting, after=30)


async def test_accounts_take_turns_in_coming_in(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    first = await simulation.request(live("zoe"))
    anns = [await simulation.request(live("ann")) for _ in range(3)]
    bobs = [await simulation.request(live("bob")) for _ in range(2)]
    await simulation.leave(first, after=30)
    for waiting in (anns[0], bobs[0], anns[1], bobs[1], anns[2]):
        assert waiting.is_in
        await simulation.leave(waiting, after=30)


async def test_who_waits_in_vain_is_told_when_to_come_again(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1, admission_wait=0.01)
    first = await simulation.request(live())
    late = await simulation.request(live())
    await late.over.wait()
    assert late.refusal is not None
    assert late.refusal.retry_after == 8, "the first lasts ten seconds, and two of them one may wait"
    simulation.now += 30
    await simulation.leave(first)
    assert (await simulation.request(live())).is_in


@pytest.mark.parametrize("after", ["waiting", "admitted"])
async def test_who_goes_away_leaves_nothing_behind(open_simulation: OpenSimulation, after: str) -> None:
    simulation = open_simulation(slots=1)
    first, leaving, next_one = [await simulation.request(live()) for _ in range(3)]
    assert leaving.task is not None
    assert first.segment is not None
    if after == "admitted":  # and does not know it yet
        simulation.now += 30
        first.segment.done.set()
        await asyncio.sleep(0)
    await simulation.cancel(leaving)
    if after == "waiting":
        await simulation.leave(first, after=30)
    assert leaving.segment is None
    assert next_one.is_in
    await simulation.leave(next_one)
    assert simulation.controller._model_queue(MODEL).demand("live") == []


async def test_how_many_may_wait_is_bounded_and_shared(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1, admission_queue=4)
    await simulation.request(live("ann"))
    waiting = [await simulation.request(live("ann")) for _ in range(4)]
    assert not any(one.over.is_set() for one in waiting)
    refused = await simulation.request(live("ann"))
    assert refused.refusal is not None
    assert refused.refusal.retry_after
    others = [await simulation.request(live("bob")) for _ in range(2)]
    assert not any(one.over.is_set() for one in others)
    assert (await simulation.request(live("bob"))).refusal is not None


async def test_who_waits_for_one_model_holds_up_nobody_at_another(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1, admission_queue=1)
    await simulation.request(live())
    assert not (await simulation.request(live())).over.is_set()
    assert (await simulation.request(live(), model="haw")).is_in


async def test_nobody_who_comes_later_overtakes_those_who_wait(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=2, live_queue=1)
    one = simulation.controller.admit(MODEL, live("ann"), 10)
    waiting = await simulation.request(live("ann"))
    assert not waiting.over.is_set(), "the account has its share of the queue"
    assert simulation.controller.admit_without_waiting(MODEL, live("ann"), 10, in_turn=True) is None
    assert (await simulation.request(live("bob"))).is_in, "an account that has its share keeps no other out"
    one.drop()
    await settle()
    assert waiting.is_in


async def test_a_batch_does_not_wait_for_what_is_live(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    first = await simulation.request(live())
    lively = await simulation.request(live())
    patient = await simulation.request(batch())
    assert (lively.over.is_set(), patient.over.is_set()) == (False, True)
    await simulation.leave(first, after=30)
    assert lively.is_in


async def test_who_reads_by_many_requests_is_refused_at_once(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    await simulation.request(live())
    await simulation.request(live())
    with pytest.raises(Busy):
        await simulation.admit(live("ann", "one"))


async def test_a_place_that_is_free_for_more_than_one_reason_is_given_once(open_simulation: OpenSimulation) -> None:
    """What was foreseen to come is given up: its slot goes to the first of those who wait, and to no other."""
    simulation = open_simulation(slots=1)
    foreseen = simulation.controller.admit(MODEL, live(), 10)
    waiting = [await simulation.request(live()) for _ in range(2)]
    foreseen.drop()
    await settle()
    assert [one.is_in for one in waiting] == [True, False]


async def test_a_long_request_comes_in_when_a_listener_is_gone(open_simulation: OpenSimulation) -> None:
    """Only time tells that a listener is gone: nothing else happens."""
    simulation = open_simulation(slots=1, listener_pace=10.0)
    for _ in range(3):
        await simulation.end(await simulation.admit(live("ann", "one")), after=3)
    with pytest.raises(Busy) as caught:
        await simulation.admit(live("ann", "two"))
    assert caught.value.retry_after is not None
    simulation.now += caught.value.retry_after - 1.05
    waiting = await simulation.request(live("ann", "two"))
    assert not waiting.over.is_set()
    simulation.now += 5
    await waiting.over.wait()
    await settle()
    assert waiting.is_in


commands = st.lists(
    st.one_of(
        st.tuples(st.just("request"), st.sampled_from(["ann", "bob"]), st.sampled_from([live, batch])),
        st.tuples(st.sampled_from(["end", "cancel"]), st.integers(0, 5)),
        st.tuples(st.sampled_from(["step", "settle"])),
    ),
    max_size=50,
)


@settings(deadline=None, max_examples=200)
@given(slots=st.integers(1, 3), bound=st.integers(1, 3), commands=commands)
def test_nobody_waits_while_there_is_room(slots: int, bound: int, commands: list[Any]) -> None:
    asyncio.run(_play(Simulation(slots, live_queue=bound, batch_queue=bound), commands))


async def _play(simulation: Simulation, commands: list[Any]) -> None:
    waiting_requests: list[WaitingRequest] = []
    for command, *arguments in commands:
        match command:
            case "request":
                name, requester = arguments
                waiting_requests.append(simulation.begin_request(requester(name)))
            case "step":
                await asyncio.sleep(0)
            case "settle":
                await settle()
            case _ if waiting_requests:
                _change(command, waiting_requests[arguments[0] % len(waiting_requests)])
    await settle()
    while left := [one for one in waiting_requests if one.task and not one.task.done()]:
        for waiting in left:
            waits = waiting.segment is None
            assert not waits or any(simulation.controller._obstacle(MODEL, other.requester) for other in left), (
                "there is room"
            )
        inside = [one for one in left if one.is_in]
        assert inside, "somebody waits, and nobody is in"
        await simulation.leave(inside[0], after=1)
    queue = simulation.controller._model_queue(MODEL)
    assert (queue.demand("live"), queue.demand("batch"), queue._in_slots) == ([], [], {})
    assert list(simulation.controller._request_queue(MODEL)) == []


def _change(command: str, waiting: WaitingRequest) -> None:
    assert waiting.task is not None
    if command == "cancel":
        waiting.task.cancel()
    elif waiting.segment is not None:
        waiting.segment.done.set()

"""Requests for which there is no room yet: who waits, who comes in next, and who is sent away."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.lib.errors.problems import Busy
from tests.unit.admission.conftest import OpenHall
from tests.unit.admission.simulation import MODEL, Arrival, Hall, batch, live, settle

pytestmark = pytest.mark.anyio


async def test_who_finds_no_room_waits_until_there_is(open_hall: OpenHall) -> None:
    hall = open_hall(slots=2)
    one, two, three = [await hall.arrive(live()) for _ in range(3)]
    assert (one.is_in, two.is_in, three.is_in) == (True, True, False)
    assert three.segment is None, "it stands before the gate, and so before nobody behind it"
    await hall.leave(one, after=30)
    assert three.is_in


async def test_who_comes_first_is_let_in_first(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    arrivals = [await hall.arrive(live()) for _ in range(6)]
    for arrival in arrivals:
        assert [one.is_in for one in arrivals].count(True) == 1
        assert arrival.is_in
        await hall.leave(arrival, after=30)


async def test_accounts_take_turns_in_coming_in(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    first = await hall.arrive(live("zoe"))
    anns = [await hall.arrive(live("ann")) for _ in range(3)]
    bobs = [await hall.arrive(live("bob")) for _ in range(2)]
    await hall.leave(first, after=30)
    for arrival in (anns[0], bobs[0], anns[1], bobs[1], anns[2]):
        assert arrival.is_in
        await hall.leave(arrival, after=30)


async def test_who_waits_in_vain_is_told_when_to_come_again(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1, admission_wait=0.01)
    first = await hall.arrive(live())
    late = await hall.arrive(live())
    await late.over.wait()
    assert late.refusal is not None
    assert late.refusal.retry_after == 8, "the first lasts ten seconds, and two of them one may wait"
    hall.now += 30
    await hall.leave(first)
    assert (await hall.arrive(live())).is_in


@pytest.mark.parametrize("after", ["waiting", "let in"])
async def test_who_goes_away_leaves_nothing_behind(open_hall: OpenHall, after: str) -> None:
    hall = open_hall(slots=1)
    first, leaving, next_one = [await hall.arrive(live()) for _ in range(3)]
    assert leaving.task is not None
    assert first.segment is not None
    if after == "let in":  # and does not know it yet
        hall.now += 30
        first.segment.done.set()
        await asyncio.sleep(0)
    await hall.cancel(leaving)
    if after == "waiting":
        await hall.leave(first, after=30)
    assert leaving.segment is None
    assert next_one.is_in
    await hall.leave(next_one)
    assert hall.gate._line(MODEL).demand("live") == []


async def test_how_many_may_wait_is_bounded_and_shared(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1, admission_queue=4)
    await hall.arrive(live("ann"))
    waiting = [await hall.arrive(live("ann")) for _ in range(4)]
    assert not any(one.over.is_set() for one in waiting)
    refused = await hall.arrive(live("ann"))
    assert refused.refusal is not None
    assert refused.refusal.retry_after
    others = [await hall.arrive(live("bob")) for _ in range(2)]
    assert not any(one.over.is_set() for one in others)
    assert (await hall.arrive(live("bob"))).refusal is not None


async def test_who_waits_for_one_model_holds_up_nobody_at_another(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1, admission_queue=1)
    await hall.arrive(live())
    assert not (await hall.arrive(live())).over.is_set()
    assert (await hall.arrive(live(), model="haw")).is_in


async def test_nobody_who_comes_later_overtakes_those_who_wait(open_hall: OpenHall) -> None:
    hall = open_hall(slots=2, live_queue=1)
    one = hall.gate.admit(MODEL, live("ann"), 10)
    waiting = await hall.arrive(live("ann"))
    assert not waiting.over.is_set(), "the account has its share of the line"
    assert hall.gate.admit_without_waiting(MODEL, live("ann"), 10, in_turn=True) is None
    assert (await hall.arrive(live("bob"))).is_in, "an account that has its share keeps no other out"
    one.drop()
    await settle()
    assert waiting.is_in


async def test_a_batch_does_not_wait_for_what_is_live(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    first = await hall.arrive(live())
    lively = await hall.arrive(live())
    patient = await hall.arrive(batch())
    assert (lively.over.is_set(), patient.over.is_set()) == (False, True)
    await hall.leave(first, after=30)
    assert lively.is_in


async def test_who_reads_by_many_requests_is_refused_at_once(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    await hall.arrive(live())
    await hall.arrive(live())
    with pytest.raises(Busy):
        await hall.admit(live("ann", "one"))


async def test_a_place_that_is_free_for_more_than_one_reason_is_given_once(open_hall: OpenHall) -> None:
    """What was foreseen to come is given up: its slot goes to the first of those who wait, and to no other."""
    hall = open_hall(slots=1)
    foreseen = hall.gate.admit(MODEL, live(), 10)
    waiting = [await hall.arrive(live()) for _ in range(2)]
    foreseen.drop()
    await settle()
    assert [one.is_in for one in waiting] == [True, False]


async def test_a_long_request_comes_in_when_a_listener_is_gone(open_hall: OpenHall) -> None:
    """Only time tells that a listener is gone: nothing else happens."""
    hall = open_hall(slots=1, listener_pace=10.0)
    for _ in range(3):
        await hall.end(await hall.admit(live("ann", "one")), after=3)
    with pytest.raises(Busy) as caught:
        await hall.admit(live("ann", "two"))
    assert caught.value.retry_after is not None
    hall.now += caught.value.retry_after - 1.05
    arrival = await hall.arrive(live("ann", "two"))
    assert not arrival.over.is_set()
    hall.now += 5
    await arrival.over.wait()
    await settle()
    assert arrival.is_in


commands = st.lists(
    st.one_of(
        st.tuples(st.just("arrive"), st.sampled_from(["ann", "bob"]), st.sampled_from([live, batch])),
        st.tuples(st.sampled_from(["end", "cancel"]), st.integers(0, 5)),
        st.tuples(st.sampled_from(["step", "settle"])),
    ),
    max_size=50,
)


@settings(deadline=None, max_examples=200)
@given(slots=st.integers(1, 3), bound=st.integers(1, 3), commands=commands)
def test_nobody_waits_while_there_is_room(slots: int, bound: int, commands: list[Any]) -> None:
    asyncio.run(_play(Hall(slots, live_queue=bound, batch_queue=bound), commands))


async def _play(hall: Hall, commands: list[Any]) -> None:
    arrivals: list[Arrival] = []
    for command, *arguments in commands:
        match command:
            case "arrive":
                name, requester = arguments
                arrivals.append(hall.begin_arrival(requester(name)))
            case "step":
                await asyncio.sleep(0)
            case "settle":
                await settle()
            case _ if arrivals:
                _change(command, arrivals[arguments[0] % len(arrivals)])
    await settle()
    while left := [one for one in arrivals if one.task and not one.task.done()]:
        for arrival in left:
            waits = arrival.segment is None
            assert not waits or any(hall.gate._obstacle(MODEL, other.requester) for other in left), "there is room"
        inside = [one for one in left if one.is_in]
        assert inside, "somebody waits, and nobody is in"
        await hall.leave(inside[0], after=1)
    line = hall.gate._line(MODEL)
    assert (line.demand("live"), line.demand("batch"), line._at_work) == ([], [], {})
    assert list(hall.gate._waiting_for(MODEL)) == []


def _change(command: str, arrival: Arrival) -> None:
    assert arrival.task is not None
    if command == "cancel":
        arrival.task.cancel()
    elif arrival.segment is not None:
        arrival.segment.done.set()

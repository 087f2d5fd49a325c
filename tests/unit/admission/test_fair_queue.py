"""Who comes to a model first."""

import asyncio

import pytest

from orchestrator.lib.errors.problems import Busy
from tests.unit.admission.conftest import OpenHall
from tests.unit.admission.simulation import DEADLINE, batch, live, settle

pytestmark = pytest.mark.anyio


async def test_what_exceeds_the_places_waits_and_follows(open_hall: OpenHall) -> None:
    hall = open_hall(slots=2)
    one, two, three = [await hall.bring(live(), needed=True) for _ in range(3)]
    assert (one.is_in, two.is_in, three.is_in) == (True, True, False)
    await hall.end(one)
    assert three.is_in


async def test_live_comes_before_batch_and_takes_no_heed_of_what_batch_has(open_hall: OpenHall) -> None:
    hall = open_hall(slots=2)
    batches = [await hall.bring(batch()) for _ in range(3)]
    lively = [await hall.bring(live(), needed=True) for _ in range(3)]
    assert [one.is_in for one in batches] == [True, True, False]
    assert [one.is_in for one in lively] == [True, True, False], "live has all slots of its own"
    await hall.end(batches[0])
    assert not batches[2].is_in, "live still has all slots"
    await hall.end(lively[0])
    assert lively[2].is_in
    assert not batches[2].is_in


async def test_what_is_waited_for_comes_before_what_is_made_ahead(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    first = await hall.bring(live("ann"), needed=True)
    ahead = await hall.bring(live("ann"))
    needed = await hall.bring(live("bob"), needed=True)
    await hall.end(first)
    assert (ahead.is_in, needed.is_in) == (False, True)


async def test_the_last_place_is_kept_from_what_is_made_ahead(open_hall: OpenHall) -> None:
    hall = open_hall(slots=2)
    ahead = [await hall.bring(live()) for _ in range(2)]
    assert [one.is_in for one in ahead] == [True, False]
    newcomer = await hall.admit(live("bob"))
    assert newcomer.is_in


async def test_the_only_place_may_be_used_ahead(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    assert (await hall.bring(live())).is_in


async def test_a_listener_who_comes_to_a_segment_hurries_it(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    first = await hall.bring(live(), needed=True)
    ahead = [await hall.bring(live()) for _ in range(2)]
    ahead[1].way.promote(live(), needed=True)
    await hall.end(first)
    assert [one.is_in for one in ahead] == [False, True]


async def test_a_listener_who_joins_brings_a_batch_segment_into_the_live_lane(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    first = await hall.bring(live(), needed=True)
    waiting = [await hall.bring(batch()) for _ in range(2)]
    waiting[1].way.promote(live("bob"), needed=True)
    assert waiting[1].way.lane == "live"
    await hall.end(first)
    assert [one.is_in for one in waiting] == [False, True]


async def test_joining_before_the_segment_has_come_to_the_gate_counts_as_well(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    way = hall.gate.expect("hum", batch(), 10)
    way.promote(live(), needed=True)
    assert way.lane == "live"


async def test_accounts_take_turns(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    first = await hall.bring(live("ann"), needed=True)
    anns = [await hall.bring(live("ann"), needed=True) for _ in range(3)]
    bobs = [await hall.bring(live("bob"), needed=True) for _ in range(2)]
    await hall.end(first)
    for segment in (anns[0], bobs[0], anns[1], bobs[1], anns[2]):
        assert segment.is_in
        await hall.end(segment)


async def test_a_place_given_in_the_moment_of_a_cancellation_goes_to_the_next(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    first = await hall.bring(live(), needed=True)
    cancelled, next_one = [await hall.bring(live(), needed=True) for _ in range(2)]
    assert cancelled.task is not None
    first.done.set()
    await asyncio.sleep(0)  # `cancelled` has its slot, and does not know it yet
    cancelled.task.cancel()
    await settle()
    assert cancelled.entered is None
    assert next_one.is_in


async def test_one_who_leaves_gets_no_place(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    first = await hall.bring(live(), needed=True)
    leaving, next_one = [await hall.bring(live(), needed=True) for _ in range(2)]
    assert leaving.task is not None
    first.done.set()
    leaving.task.cancel()
    await settle()
    assert first.task is not None
    first.task.result()
    assert leaving.entered is None
    assert next_one.is_in


async def test_waiting_ends_at_the_deadline_and_gives_up_the_turn(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    first = await hall.bring(live(), needed=True)
    late = hall.gate.expect("hum", live(), 10)
    late._turn.until = 0
    with pytest.raises(Busy) as caught:
        async with late.slot():
            pytest.fail("there was no slot")
    assert caught.value.retry_after
    next_one = await hall.bring(live(), needed=True)
    await hall.end(first)
    assert next_one.is_in


async def test_a_listener_who_comes_to_a_segment_waits_no_longer_than_the_deadline(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    await hall.bring(live(), needed=True)
    for requester in (live(), batch()):
        waiting = await hall.bring(requester)
        turn = waiting.way._turn
        assert turn.until > asyncio.get_running_loop().time() + DEADLINE
        waiting.way.promote(live("bob"), needed=True)
        assert turn.until <= asyncio.get_running_loop().time() + DEADLINE
        assert turn.limit is not None
        assert turn.limit.when() == turn.until


async def test_a_failure_gives_the_place_back(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    with pytest.raises(ZeroDivisionError):
        async with hall.gate.expect("hum", live(), 10).slot():
            raise ZeroDivisionError
    assert (await hall.bring(live())).is_in

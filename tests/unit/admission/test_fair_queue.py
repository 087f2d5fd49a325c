"""Who comes to a model first."""

import asyncio

import pytest

from orchestrator.lib.errors.problems import Busy
from tests.unit.admission.conftest import OpenSimulation
from tests.unit.admission.simulation import DEADLINE, batch, live, settle

pytestmark = pytest.mark.anyio


async def test_what_exceeds_the_places_waits_and_follows(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=2)
    one, two, three = [await simulation.bring(live(), needed=True) for _ in range(3)]
    assert (one.is_in, two.is_in, three.is_in) == (True, True, False)
    await simulation.end(one)
    assert three.is_in


async def test_live_comes_before_batch_and_takes_no_heed_of_what_batch_has(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=2)
    batches = [await simulation.bring(batch()) for _ in range(3)]
    lively = [await simulation.bring(live(), needed=True) for _ in range(3)]
    assert [one.is_in for one in batches] == [True, True, False]
    assert [one.is_in for one in lively] == [True, True, False], "live has all slots of its own"
    await simulation.end(batches[0])
    assert not batches[2].is_in, "live still has all slots"
    await simulation.end(lively[0])
    assert lively[2].is_in
    assert not batches[2].is_in


async def test_what_is_waited_for_comes_before_what_is_made_ahead(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=2)
    first = [await simulation.bring(live("ann", name), needed=True) for name in ("one", "two")]
    ahead = await simulation.bring(live("ann", "one"))
    needed = await simulation.bring(live("ann", "two"), needed=True)
    await simulation.end(first[1])
    assert (ahead.is_in, needed.is_in) == (False, True)


async def test_what_is_made_ahead_has_all_slots_and_keeps_none_from_who_hears_nothing(
    open_simulation: OpenSimulation,
) -> None:
    simulation = open_simulation(slots=2)
    ahead = [await simulation.bring(live("ann", "one")) for _ in range(3)]
    assert [one.is_in for one in ahead] == [True, True, False]
    newcomer = await simulation.ask(live("bob", "two"))
    assert newcomer.is_in
    await simulation.end(ahead[0])
    assert not ahead[2].is_in, "two are in slots"


async def test_a_listener_who_comes_to_a_segment_hurries_it(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=2)
    first = [await simulation.bring(live("ann", name)) for name in ("one", "two")]
    ahead = [await simulation.bring(live("ann", name)) for name in ("one", "two")]
    ahead[1].ticket.promote(live("ann", "two"), needed=True)
    await simulation.end(first[1])
    assert [one.is_in for one in ahead] == [False, True]


async def test_the_blocks_of_one_reading_come_in_their_order(open_simulation: OpenSimulation) -> None:
    """A block that was asked for ahead is overtaken by none that the same listener asked for later, if at once."""
    simulation = open_simulation(slots=1)
    reading = live("ann", "one")
    current = await simulation.ask(reading)
    ahead = [await simulation.bring(reading) for _ in range(2)]
    blocks = [*ahead, *[await simulation.ask(reading) for _ in range(8)]]
    for block in blocks:
        await simulation.end(current)
        assert [one.is_in for one in blocks].index(True) == blocks.index(block)
        current = block


async def test_a_response_that_has_begun_goes_on_before_others_begin(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    first = await simulation.ask(live())
    others = [await simulation.ask(live()) for _ in range(2)]
    second = await simulation.bring(live(), after=first)
    await simulation.end(first)
    assert second.is_in
    await simulation.end(second)
    assert [one.is_in for one in others] == [True, False]


async def test_a_listener_who_joins_brings_a_batch_segment_into_the_live_lane(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    first = await simulation.bring(live(), needed=True)
    waiting = [await simulation.bring(batch()) for _ in range(2)]
    waiting[1].ticket.promote(live("bob"), needed=True)
    assert waiting[1].ticket.lane == "live"
    await simulation.end(first)
    assert [one.is_in for one in waiting] == [False, True]


async def test_joining_before_the_segment_has_come_to_the_gate_counts_as_well(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    ticket = simulation.controller.expect("hum", batch(), 10)
    ticket.promote(live(), needed=True)
    assert ticket.lane == "live"


async def test_accounts_take_turns(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    first = await simulation.bring(live("ann"), needed=True)
    anns = [await simulation.bring(live("ann"), needed=True) for _ in range(3)]
    bobs = [await simulation.bring(live("bob"), needed=True) for _ in range(2)]
    await simulation.end(first)
    for segment in (anns[0], bobs[0], anns[1], bobs[1], anns[2]):
        assert segment.is_in
        await simulation.end(segment)


async def test_a_place_given_in_the_moment_of_a_cancellation_goes_to_the_next(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    first = await simulation.bring(live(), needed=True)
    cancelled, next_one = [await simulation.bring(live(), needed=True) for _ in range(2)]
    assert cancelled.task is not None
    first.done.set()
    await asyncio.sleep(0)  # `cancelled` has its slot, and does not know it yet
    cancelled.task.cancel()
    await settle()
    assert cancelled.entered is None
    assert next_one.is_in


async def test_one_who_leaves_gets_no_place(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    first = await simulation.bring(live(), needed=True)
    leaving, next_one = [await simulation.bring(live(), needed=True) for _ in range(2)]
    assert leaving.task is not None
    first.done.set()
    leaving.task.cancel()
    await settle()
    assert first.task is not None
    first.task.result()
    assert leaving.entered is None
    assert next_one.is_in


async def test_waiting_ends_at_the_deadline_and_gives_up_the_turn(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    first = await simulation.bring(live(), needed=True)
    late = simulation.controller.expect("hum", live(), 10)
    late.segment.until = 0
    with pytest.raises(Busy) as caught:
        async with late.slot():
            pytest.fail("there was no slot")
    assert caught.value.retry_after
    next_one = await simulation.bring(live(), needed=True)
    await simulation.end(first)
    assert next_one.is_in


async def test_a_listener_who_comes_to_a_segment_waits_no_longer_than_the_deadline(
    open_simulation: OpenSimulation,
) -> None:
    simulation = open_simulation(slots=1)
    await simulation.bring(live(), needed=True)
    for requester in (live(), batch()):
        waiting = await simulation.bring(requester)
        turn = waiting.ticket.segment
        assert turn.until > asyncio.get_running_loop().time() + DEADLINE
        waiting.ticket.promote(live("bob"), needed=True)
        assert turn.until <= asyncio.get_running_loop().time() + DEADLINE
        assert turn.limit is not None
        assert turn.limit.when() == turn.until


async def test_a_failure_gives_the_place_back(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    with pytest.raises(ZeroDivisionError):
        async with simulation.controller.expect("hum", live(), 10).slot():
            raise ZeroDivisionError
    assert (await simulation.bring(live())).is_in

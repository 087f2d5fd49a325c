"""Who waits, who is refused, and what the refusal says."""

import asyncio

import pytest

from orchestrator.accounts.requester import Requester
from orchestrator.lib.errors.problems import Busy
from tests.unit.admission.conftest import OpenSimulation
from tests.unit.admission.simulation import MODEL, Segment, Simulation, batch, live, settle

pytestmark = pytest.mark.anyio


async def refused(simulation: Simulation, requester: Requester, work: float = 10.0) -> int:
    with pytest.raises(Busy) as caught:
        await simulation.ask(requester, work)
    assert caught.value.retry_after is not None
    return caught.value.retry_after


async def timed(simulation: Simulation, *, seconds: float, of: float = 10.0) -> None:
    """The model has made a segment that lasts ``of`` seconds within ``seconds``."""
    await simulation.end(await simulation.ask(live("somebody"), of), after=seconds)


async def stay(simulation: Simulation, requester: Requester) -> None:
    """Listens to three segments; each takes the model three seconds."""
    for _ in range(3):
        await simulation.end(await simulation.ask(requester), after=3)


async def test_eight_who_ask_at_once_are_served_in_the_order_of_their_coming(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=2)
    await timed(simulation, seconds=3)
    asked = [await simulation.ask(live()) for _ in range(8)]
    assert [one.is_in for one in asked] == [True, True] + [False] * 6
    for one in asked:
        assert one.is_in
        await simulation.end(one, after=3)
    entered = [one.entered for one in asked]
    assert entered == sorted(entered, key=lambda number: number or 0)


async def test_whose_turn_would_come_too_late_is_refused_at_once(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1, admission_wait=12)
    await timed(simulation, seconds=5)  # twice as fast as speech
    for _ in range(3):  # turns in 0, 5 and 10 seconds
        await simulation.ask(live())
    assert await refused(simulation, live()) == 3, "its turn comes in fifteen seconds, and it may wait for twelve"


async def test_the_time_to_come_again_is_that_after_which_one_would_be_admitted(
    open_simulation: OpenSimulation,
) -> None:
    simulation = open_simulation(slots=1, admission_wait=2)
    await timed(simulation, seconds=5)
    busy = await simulation.ask(live())
    after = await refused(simulation, live())
    assert after == 3, "a slot comes free in five seconds, and two of them one may wait"
    simulation.now += after
    waiting = await simulation.ask(live())
    await simulation.end(busy, after=2)
    assert waiting.is_in


async def test_long_segments_count_for_more_than_short_ones(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1, admission_wait=2)
    await timed(simulation, seconds=1, of=2)
    await timed(simulation, seconds=10, of=20)
    busy = await simulation.ask(live(), 2)
    short = await simulation.ask(live(), 2)
    await simulation.cancel(short)
    await simulation.end(busy, after=1)
    await simulation.ask(live(), 40)
    assert await refused(simulation, live(), 2) == 18


async def test_no_request_may_wait_if_the_setting_says_so(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1, admission_wait=0)
    first = await simulation.ask(live())
    await refused(simulation, live())
    await simulation.end(first)
    assert (await simulation.ask(live())).is_in


async def test_batch_may_wait_longer(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1, admission_wait=2)
    await timed(simulation, seconds=10)
    await simulation.ask(live())
    await refused(simulation, live())
    assert not (await simulation.ask(batch())).is_in


async def test_live_is_admitted_however_much_batch_waits(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    for _ in range(30):
        await simulation.bring(batch())
    assert (await simulation.ask(live())).is_in


async def test_an_account_that_asks_for_much_keeps_no_other_out(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1, admission_wait=25)
    await timed(simulation, seconds=10)
    for _ in range(20):
        await simulation.bring(live("ann"))
    await refused(simulation, live("ann"))
    await simulation.ask(live("bob"))


async def test_the_queue_is_bounded_and_shared(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1, admission_queue=4, admission_wait=1_000)
    for _ in range(5):  # one of them has a slot
        await simulation.ask(live("ann"))
    await refused(simulation, live("ann"))
    for _ in range(2):
        await simulation.ask(live("bob"))
    await refused(simulation, live("bob"))


async def test_the_bound_is_for_those_that_wait(open_simulation: OpenSimulation) -> None:
    """What has room passes by the queue, also while it is still looked for in the cache."""
    simulation = open_simulation(slots=3, admission_queue=1, admission_wait=1_000)
    for _ in range(4):
        simulation.controller.admit(MODEL, live(), 10)
    await refused(simulation, live())


async def test_what_is_dropped_stands_before_nobody(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1, admission_wait=0)
    simulation.controller.admit(MODEL, live(), 10).drop()
    assert (await simulation.ask(live())).is_in


async def test_who_waits_for_one_model_holds_up_nobody_at_another(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1, admission_queue=1)
    await simulation.ask(live())
    assert not (await simulation.ask(live())).is_in
    assert (await simulation.ask(live(), model="haw")).is_in


async def test_who_waits_in_vain_is_told_when_to_come_again(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    await timed(simulation, seconds=1)
    first = await simulation.ask(live())
    late = simulation.controller.admit(MODEL, live(), 10)
    late.segment.until = asyncio.get_running_loop().time() + 0.01
    with pytest.raises(Busy) as caught:
        async with late.slot():
            pytest.fail("there was no slot")
    assert caught.value.retry_after == 1
    next_one = await simulation.ask(live())
    await simulation.end(first)
    assert next_one.is_in


async def test_who_listens_goes_before_those_who_merely_ask(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    listened = await simulation.ask(live("ann", "one"))
    asked = [await simulation.ask(live("bob")) for _ in range(3)]
    ahead = await simulation.bring(live("ann", "one"), after=listened)
    await simulation.end(listened)
    assert ahead.is_in
    assert not any(one.is_in for one in asked)


async def test_who_merely_asks_keeps_no_slot_from_a_listener(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=2)
    asked = [await simulation.ask(live("bob")) for _ in range(3)]
    listened = await simulation.ask(live("ann", "one"))
    assert listened.is_in
    assert (asked[1].ticket.lane, listened.ticket.lane) == ("batch", "live"), "at the model too"
    await simulation.end(asked[0])
    assert not asked[2].is_in, "two are in slots"
    await simulation.end(listened)
    assert asked[2].is_in


async def test_there_are_as_many_listeners_as_the_model_keeps_up_with(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    await timed(simulation, seconds=2.5)  # four times as fast as speech, and each takes 1.4
    listeners = [await simulation.ask(live("ann", name)) for name in ("one", "two", "three")]
    assert [one.ticket.segment.listened for one in listeners] == [True, True, False]
    assert not (await simulation.ask(live("ann", "three"))).ticket.segment.listened
    assert (await simulation.ask(live("ann", "one"))).ticket.segment.listened


async def test_there_is_room_for_a_listener_in_each_slot(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=3, admission_wait=100)
    await timed(simulation, seconds=10)
    names = ("one", "two", "three", "four")
    listeners = [simulation.controller.admit(MODEL, live("ann", name), 1) for name in names]
    assert [one.segment.listened for one in listeners] == [True, True, True, False]


async def test_who_is_one_too_many_may_listen_as_soon_as_another_has_left(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    one = await simulation.ask(live("ann", "one"))
    two = await simulation.ask(live("bob", "two"))
    asked = await simulation.ask(live("ann"))
    assert not two.ticket.segment.listened
    simulation.controller.forget_listener(live("ann", "one"))
    assert two.ticket.segment.listened
    await simulation.end(one)
    assert (two.is_in, asked.is_in) == (True, False)


async def test_who_is_silent_for_long_makes_room(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    await simulation.end(await simulation.ask(live("ann", "one")), after=10)
    simulation.now += 19  # a segment lasts ten seconds, and twenty more one may keep silent; ten are over
    assert not simulation.controller.admit(MODEL, live("ann", "two"), 10).segment.listened
    simulation.now += 2
    assert (await simulation.ask(live("ann", "two"))).ticket.segment.listened


async def test_who_listens_fast_takes_the_room_of_more(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1, listener_pace=1.0)
    await timed(simulation, seconds=2)  # the model makes five seconds of speech in a second
    admit = simulation.controller.admit
    for name in ("one", "two"):
        assert admit(MODEL, live("ann", name), 1, tempo=2.0).segment.listened
    assert not admit(MODEL, live("ann", "three"), 1, tempo=2.0).segment.listened
    assert admit(MODEL, live("ann", "four"), 1).segment.listened


async def test_whoever_hears_a_segment_fast_is_gone_sooner(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    segment = Segment(simulation.controller.admit(MODEL, live("ann", "one"), 10, tempo=2.0), live("ann", "one"))
    await simulation.end(await simulation.walk(segment))
    simulation.now += 24  # it is heard in five seconds, and twenty more one may keep silent
    assert not simulation.controller.admit(MODEL, live("ann", "two"), 10).segment.listened
    simulation.now += 2
    assert (await simulation.ask(live("ann", "two"))).ticket.segment.listened


async def test_while_encoding_is_late_nobody_begins_to_listen(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=3)
    await stay(simulation, live("ann", "one"))
    simulation.encoder.late = 1.0
    waiting = await simulation.ask(live("bob", "two"))
    assert not waiting.is_in
    assert (await simulation.ask(live("ann", "one"))).is_in
    assert (await simulation.ask(live("bob"))).is_in, "a single request costs little"
    assert (await simulation.ask(batch("bob"))).is_in
    simulation.encoder.late = 0.0
    await until_in(waiting)
    assert waiting.ticket.segment.listened


async def until_in(segment: Segment) -> None:
    """Nothing happens meanwhile: only time tells that there is room."""
    async with asyncio.timeout(60):
        await segment.entering.wait()


async def test_there_are_as_many_listeners_as_can_be_encoded_for(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=50, encoder_share=0.5, listener_pace=2.0)
    simulation.encoder.throughput = 12.0  # half of it is for three who use up two seconds in a second
    for name in ("one", "two", "three"):
        await stay(simulation, live("ann", name))
    four = await simulation.ask(live("ann", "four"))
    assert not four.is_in
    assert (await simulation.ask(live("ann", "three"))).is_in
    assert (await simulation.ask(live("ann"))).is_in
    simulation.encoder.throughput = 16.0
    await until_in(four)


async def test_what_is_taken_long_before_it_can_be_heard_is_not_protected(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    await simulation.ask(live("ann", "one"))
    ahead = simulation.controller.expect(MODEL, live("ann", "one"), 10, unheard=60)
    assert not ahead.segment.listened
    ahead.promote(live("ann", "one"), needed=True)
    assert not ahead.segment.listened
    ahead.segment.unheard_until = 0
    ahead.promote(live("ann", "one"), needed=True)
    assert ahead.segment.listened


@pytest.mark.parametrize("after", ["waiting", "admitted"])
async def test_who_goes_away_leaves_nothing_behind(open_simulation: OpenSimulation, after: str) -> None:
    simulation = open_simulation(slots=1)
    first, leaving, next_one = [await simulation.ask(live()) for _ in range(3)]
    assert leaving.task is not None
    if after == "admitted":  # and does not know it yet
        first.done.set()
        await asyncio.sleep(0)
    await simulation.cancel(leaving)
    if after == "waiting":
        await simulation.end(first, after=30)
    assert not leaving.is_in
    assert next_one.is_in
    await simulation.end(next_one)
    assert simulation.queue.demand("live") == []


async def test_who_joins_has_a_promise_of_its_own(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    await simulation.ask(live())
    early = await simulation.ask(live())
    early.ticket.segment.until = asyncio.get_running_loop().time() + 0.01
    later = simulation.controller.admit(MODEL, live(), 10)
    early.ticket.join(live(), later)
    assert early.ticket.segment.until == later.segment.until
    assert early.ticket.segment.limit is not None
    assert early.ticket.segment.limit.when() == later.segment.until
    await settle()
    assert simulation.queue.demand("live") == [early.ticket.segment]

"""Who is admitted, who is refused, and what the refusal says."""

import pytest

from orchestrator.accounts.requester import Requester
from orchestrator.lib.errors.problems import Busy
from tests.unit.admission.conftest import OpenSimulation
from tests.unit.admission.simulation import Segment, Simulation, batch, live, settle

pytestmark = pytest.mark.anyio


async def refused(simulation: Simulation, *asked: object) -> int:
    with pytest.raises(Busy) as caught:
        await simulation.admit(*asked)  # type: ignore[arg-type]
    assert caught.value.retry_after is not None
    return caught.value.retry_after


async def timed(simulation: Simulation, *, seconds: float, of: float = 10.0) -> None:
    """The model has made a segment that lasts ``of`` seconds within ``seconds``."""
    await simulation.end(await simulation.admit(live("somebody"), of), after=seconds)


async def stay(simulation: Simulation, requester: Requester) -> None:
    """Listens to three segments; each takes the model three seconds."""
    for _ in range(3):
        await simulation.end(await simulation.admit(requester), after=3)


async def full(simulation: Simulation, count: int = 2) -> list[Segment]:
    return [await simulation.bring(live("ann"), needed=True) for _ in range(count)]


async def test_a_cold_burst_is_bounded(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=2)
    admitted = 0
    for _ in range(50):
        try:
            await simulation.admit(live())
        except Busy:
            continue
        admitted += 1
    assert admitted == 2, "two have a slot, and at the speed of speech a third would wait for five seconds"


async def test_who_would_wait_little_is_admitted(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=2)
    await timed(simulation, seconds=0.5)  # twenty times as fast as speech
    await full(simulation)
    assert not (await simulation.admit(live())).is_in


async def test_the_time_to_come_again_is_that_after_which_one_would_be_admitted(
    open_simulation: OpenSimulation,
) -> None:
    simulation = open_simulation(slots=1)
    await timed(simulation, seconds=5)  # twice as fast as speech
    (busy,) = await full(simulation, 1)
    after = await refused(simulation, live())
    assert after == 3, "a slot comes free in five seconds, and two of them one may wait"
    simulation.now += after
    await simulation.end(busy, after=2)
    assert (await simulation.admit(live())).is_in


async def test_long_segments_count_for_more_than_short_ones(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    await timed(simulation, seconds=1, of=2)
    await timed(simulation, seconds=10, of=20)
    busy = await simulation.bring(live(), 2, needed=True)
    short = (await simulation.admit(live(), 2)).task
    assert short is not None
    short.cancel()
    await simulation.end(busy, after=1)
    await simulation.bring(live(), 40, needed=True)
    assert await refused(simulation, live(), 2) == 18


async def test_batch_may_wait_longer(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    await timed(simulation, seconds=10)
    await full(simulation, 1)
    await refused(simulation, live())
    assert not (await simulation.admit(batch())).is_in


async def test_live_is_admitted_however_much_batch_waits(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    for _ in range(30):
        await simulation.bring(batch())
    assert (await simulation.admit(live())).is_in


async def test_an_account_that_asks_for_much_keeps_no_other_out(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1, live_wait=2.5)
    await timed(simulation, seconds=1)
    for _ in range(20):
        await simulation.bring(live("ann"), needed=True)
    await refused(simulation, live("ann"))
    await simulation.admit(live("bob"))


async def test_the_queue_is_bounded_and_shared(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1, live_queue=4, live_wait=1_000)
    await full(simulation, 1)
    for _ in range(4):
        await simulation.admit(live("ann"))
    await refused(simulation, live("ann"))
    for _ in range(2):
        await simulation.admit(live("bob"))
    await refused(simulation, live("bob"))


async def test_a_queue_of_one_is_enough(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1, live_queue=1, live_wait=1_000)
    await full(simulation, 1)
    await simulation.admit(live("ann"))
    await simulation.admit(live("bob"))
    await refused(simulation, live("ann"))


async def test_what_is_dropped_stands_before_nobody(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    simulation.controller.admit("hum", live(), 10).drop()
    assert (await simulation.admit(live())).is_in


async def test_there_is_room_for_as_many_listeners_as_the_model_keeps_up_with(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    await timed(simulation, seconds=2.5)  # four times as fast as speech, and each takes 1.4
    for name in ("one", "two"):
        await stay(simulation, live("ann", name))
    after = await refused(simulation, live("ann", "three"))
    assert after == 18, "a segment lasts ten seconds, and twenty more one may keep silent; of these twelve are over"


async def test_the_places_are_room_for_as_many(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=3)
    for name in ("one", "two", "three"):
        await stay(simulation, live("ann", name))
    await refused(simulation, live("ann", "four"))


async def test_who_listens_already_goes_on(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=2)
    for name in ("one", "two"):
        await stay(simulation, live("ann", name))
    await refused(simulation, live("ann", "three"))
    assert (await simulation.admit(live("ann", "one"))).is_in


async def test_who_listens_already_may_wait_longer(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    await timed(simulation, seconds=10)
    await simulation.end(await simulation.admit(live("ann", "one")), after=10)
    await simulation.bring(live("bob"), 8, needed=True)
    await refused(simulation, live("ann"))
    await simulation.admit(live("ann", "one"))


async def test_who_is_silent_for_long_makes_room(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=2)
    for name in ("one", "two"):
        await stay(simulation, live("ann", name))
    simulation.now += await refused(simulation, live("ann", "three"))
    assert (await simulation.admit(live("ann", "three"))).is_in


async def test_who_has_left_makes_room_at_once(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=1)
    await simulation.end(await simulation.admit(live("ann", "one")), after=10)
    await refused(simulation, live("bob", "two"))
    waiting = await simulation.request(live("bob", "two"))
    simulation.controller.forget_listener(live("ann", "one"))
    await settle()
    assert waiting.is_in


async def test_while_encoding_is_late_nobody_begins_to_listen(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=3)
    await stay(simulation, live("ann", "one"))
    simulation.encoder.late = 1.0
    assert await refused(simulation, live("bob", "two")) >= 5
    await simulation.admit(live("ann", "one"))
    await simulation.admit(live("bob"))  # a single request costs little
    await simulation.admit(batch("bob"))
    simulation.encoder.late = 0.0
    await simulation.admit(live("bob", "two"))


async def test_there_is_room_for_as_many_listeners_as_can_be_encoded_for(open_simulation: OpenSimulation) -> None:
    simulation = open_simulation(slots=50, encoder_share=0.5, listener_pace=2.0)
    simulation.encoder.throughput = 12.0  # half of it is for three who use up two seconds in a second
    for name in ("one", "two", "three"):
        await stay(simulation, live("ann", name))
    await refused(simulation, live("ann", "four"))
    await simulation.admit(live("ann", "three"))
    await simulation.admit(live("ann"))
    simulation.encoder.throughput = 16.0
    await simulation.admit(live("ann", "four"))

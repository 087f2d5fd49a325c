"""Who is let in, who is refused, and what the refusal says."""

import pytest

from orchestrator.lib.errors.problems import Busy
from orchestrator.speech.admission.controller import Requester
from tests.unit.admission.conftest import OpenHall
from tests.unit.admission.simulation import Hall, Segment, batch, live

pytestmark = pytest.mark.anyio


async def refused(hall: Hall, *asked: object) -> int:
    with pytest.raises(Busy) as caught:
        await hall.admit(*asked)  # type: ignore[arg-type]
    assert caught.value.retry_after is not None
    return caught.value.retry_after


async def timed(hall: Hall, *, seconds: float, of: float = 10.0) -> None:
    """The model has made a segment that lasts ``of`` seconds within ``seconds``."""
    await hall.end(await hall.admit(live("somebody"), of), after=seconds)


async def stay(hall: Hall, requester: Requester) -> None:
    """Listens to a segment, and six seconds later to a third; each takes the model three seconds."""
    for _ in range(3):
        await hall.end(await hall.admit(requester), after=3)


async def full(hall: Hall, count: int = 2) -> list[Segment]:
    return [await hall.bring(live("ann"), needed=True) for _ in range(count)]


async def test_a_cold_burst_is_bounded(open_hall: OpenHall) -> None:
    hall = open_hall(slots=2)
    admitted = 0
    for _ in range(50):
        try:
            await hall.admit(live())
        except Busy:
            continue
        admitted += 1
    assert admitted == 2, "two have a slot, and at the speed of speech a third would wait for five seconds"


async def test_who_would_wait_little_is_admitted(open_hall: OpenHall) -> None:
    hall = open_hall(slots=2)
    await timed(hall, seconds=0.5)  # twenty times as fast as speech
    await full(hall)
    assert not (await hall.admit(live())).is_in


async def test_the_time_to_come_again_is_that_after_which_one_would_be_admitted(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    await timed(hall, seconds=5)  # twice as fast as speech
    (busy,) = await full(hall, 1)
    after = await refused(hall, live())
    assert after == 3, "a slot comes free in five seconds, and two of them one may wait"
    hall.now += after
    await hall.end(busy, after=2)
    assert (await hall.admit(live())).is_in


async def test_long_segments_count_for_more_than_short_ones(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    await timed(hall, seconds=1, of=2)
    await timed(hall, seconds=10, of=20)
    busy = await hall.bring(live(), 2, needed=True)
    short = (await hall.admit(live(), 2)).task
    assert short is not None
    short.cancel()
    await hall.end(busy, after=1)
    await hall.bring(live(), 40, needed=True)
    assert await refused(hall, live(), 2) == 18


async def test_batch_may_wait_longer(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    await timed(hall, seconds=10)
    await full(hall, 1)
    await refused(hall, live())
    assert not (await hall.admit(batch())).is_in


async def test_live_is_admitted_however_much_batch_waits(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    for _ in range(30):
        await hall.bring(batch())
    assert (await hall.admit(live())).is_in


async def test_an_account_that_asks_for_much_keeps_no_other_out(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1, live_wait=2.5)
    await timed(hall, seconds=1)
    for _ in range(20):
        await hall.bring(live("ann"), needed=True)
    await refused(hall, live("ann"))
    await hall.admit(live("bob"))


async def test_the_queue_is_bounded_and_shared(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1, live_queue=4, live_wait=1_000)
    await full(hall, 1)
    for _ in range(4):
        await hall.admit(live("ann"))
    await refused(hall, live("ann"))
    for _ in range(2):
        await hall.admit(live("bob"))
    await refused(hall, live("bob"))


async def test_a_queue_of_one_is_enough(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1, live_queue=1, live_wait=1_000)
    await full(hall, 1)
    await hall.admit(live("ann"))
    await hall.admit(live("bob"))
    await refused(hall, live("ann"))


async def test_what_is_dropped_stands_before_nobody(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    hall.gate.admit("hum", live(), 10).drop()
    assert (await hall.admit(live())).is_in


async def test_there_is_room_for_as_many_listeners_as_the_model_keeps_up_with(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    await timed(hall, seconds=2.5)  # four times as fast as speech, and each takes 1.4
    for name in ("one", "two"):
        await stay(hall, live("ann", name))
    after = await refused(hall, live("ann", "three"))
    assert after == 18, "a segment lasts ten seconds, and twenty more one may keep silent; of these twelve are over"


async def test_the_places_are_room_for_as_many(open_hall: OpenHall) -> None:
    hall = open_hall(slots=3)
    for name in ("one", "two", "three"):
        await stay(hall, live("ann", name))
    await refused(hall, live("ann", "four"))


async def test_who_leafs_through_documents_is_not_held_up_by_those_they_only_looked_at(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    for name in ("one", "two", "three", "four"):
        await hall.end(await hall.admit(live("ann", name)), after=1)
    hall.now += 5
    assert (await hall.admit(live("ann", "four"))).is_in


async def test_who_has_many_that_stay_is_held_to_the_room(open_hall: OpenHall) -> None:
    """A service reads to its users with one account: a new one must not silence another that has just come."""
    hall = open_hall(slots=3)
    for name in ("one", "two"):
        await stay(hall, live("ann", name))
    await hall.end(await hall.admit(live("ann", "three")), after=1)
    await refused(hall, live("ann", "four"))
    assert (await hall.admit(live("ann", "three"))).is_in


async def test_who_listens_already_goes_on(open_hall: OpenHall) -> None:
    hall = open_hall(slots=2)
    for name in ("one", "two"):
        await stay(hall, live("ann", name))
    await refused(hall, live("ann", "three"))
    assert (await hall.admit(live("ann", "one"))).is_in


async def test_who_listens_already_may_wait_longer(open_hall: OpenHall) -> None:
    hall = open_hall(slots=1)
    await timed(hall, seconds=10)
    await hall.end(await hall.admit(live("ann", "one")), after=10)
    await hall.bring(live("bob"), 8, needed=True)
    await refused(hall, live("ann"))
    await hall.admit(live("ann", "one"))


async def test_who_is_silent_for_long_makes_room(open_hall: OpenHall) -> None:
    hall = open_hall(slots=2)
    for name in ("one", "two"):
        await stay(hall, live("ann", name))
    hall.now += await refused(hall, live("ann", "three"))
    assert (await hall.admit(live("ann", "three"))).is_in


async def test_the_account_with_most_listeners_makes_room_for_another(open_hall: OpenHall) -> None:
    hall = open_hall(slots=2)
    for name in ("one", "two"):
        await stay(hall, live("ann", name))
    await stay(hall, live("bob", "three"))
    await refused(hall, live("ann", "two"))
    await refused(hall, live("bob", "four"))
    assert (await hall.admit(live("ann", "one"))).is_in
    assert (await hall.admit(live("bob", "three"))).is_in


async def test_while_encoding_is_late_nobody_begins_to_listen(open_hall: OpenHall) -> None:
    hall = open_hall(slots=3)
    await stay(hall, live("ann", "one"))
    hall.encoder.late = 1.0
    assert await refused(hall, live("bob", "two")) >= 5
    await hall.admit(live("ann", "one"))
    await hall.admit(live("bob"))  # a single request costs little
    await hall.admit(batch("bob"))
    hall.encoder.late = 0.0
    await hall.admit(live("bob", "two"))


async def test_listeners_of_one_account_do_not_push_each_other_out_for_ever(open_hall: OpenHall) -> None:
    """Those who come back were not only looked at."""
    hall = open_hall(slots=1)
    answers: list[int | None] = []
    for number in range(12):
        try:
            await hall.end(await hall.admit(live("ann", f"{number % 3}")), after=4)
            answers.append(number % 3)
        except Busy:
            answers.append(None)
            hall.now += 4
    assert answers[-6:].count(None) == 4, "two of three are refused, and one listens on"
    assert len(set(answers[-6:])) == 2


async def test_there_is_room_for_as_many_listeners_as_can_be_encoded_for(open_hall: OpenHall) -> None:
    hall = open_hall(slots=50, encoder_share=0.5, listener_pace=2.0)
    hall.encoder.pace = 12.0  # half of it is for three who use up two seconds in a second
    for name in ("one", "two", "three"):
        await stay(hall, live("ann", name))
    await refused(hall, live("ann", "four"))
    await hall.admit(live("ann", "three"))
    await hall.admit(live("ann"))
    hall.encoder.pace = 16.0
    await hall.admit(live("ann", "four"))

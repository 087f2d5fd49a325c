"""Which blocks are made for a listener at a position, in which order, and what the listener is told."""

import asyncio

import pytest

from orchestrator.lib.errors.problems import ModelFailed
from tests.unit.playback.fakes import SECONDS, Listener, block_id, busy, settle

pytestmark = pytest.mark.anyio


async def test_nothing_is_wanted_before_the_first_move() -> None:
    listener = Listener()
    await settle()
    assert (listener.audio.log, listener.told.messages) == ([], [])


async def test_blocks_in_the_window_are_asked_for_in_reading_order() -> None:
    listener = Listener(window=30, max_syntheses=10)
    await listener.move(4)
    assert listener.audio.asked() == [4, 5, 6]
    assert listener.told.states() == [(4, "queued"), (5, "queued"), (6, "queued")]


async def test_the_window_counts_from_where_the_listener_is_in_a_block() -> None:
    listener = Listener(window=30, max_syntheses=10)
    await listener.move(0, 0.5)
    assert listener.audio.asked() == [0, 1, 2, 3]  # 29.5 seconds are left of the first three
    await listener.move(0, 11)  # longer than it was thought to last: none of it is left
    assert listener.audio.asked() == [0, 1, 2, 3]


async def test_a_small_window_still_has_the_block_that_is_heard() -> None:
    listener = Listener(window=0.1)
    await listener.move(3)
    assert listener.audio.asked() == [3]
    await listener.move(3, 10)
    assert listener.audio.asked() == [3, 4]


async def test_the_syntheses_at_a_time_are_limited() -> None:
    listener = Listener(window=50, max_syntheses=2)
    await listener.move(0)
    assert listener.audio.asked() == [0, 1]
    await listener.reach(1, "making", "cached")
    assert listener.audio.asked() == [0, 1, 2]
    assert listener.told.of(4) == ["queued"]


async def test_a_block_goes_through_its_states() -> None:
    listener = Listener()
    await listener.move(0)
    listener.audio.syntheses[0].seconds = 12.3456
    await listener.reach(0, "making", "cached")
    assert listener.told.of(0) == ["queued", "making", "ready"]
    ready = next(message for message in listener.told.messages if message.state == "ready")
    assert (ready.url, ready.seconds) == ("/cached/0", 12.346)


async def test_audio_that_the_cache_refused_has_another_address() -> None:
    listener = Listener()
    await listener.move(0)
    await listener.reach(0, "making", "uncached")
    assert next(message.url for message in listener.told.messages if message.state == "ready") == "/uncached/0"


async def test_cached_blocks_are_ready_without_any_work() -> None:
    listener = Listener(window=40)
    listener.audio.cached = {0, 2, 3}
    await listener.move(0)
    assert listener.audio.asked() == [1]
    assert listener.told.states() == [(0, "ready"), (1, "queued"), (2, "ready"), (3, "ready")]
    assert listener.audio.delivered == [(number, SECONDS) for number in (0, 2, 3)], "they are counted"


async def test_the_window_slides_with_the_listener() -> None:
    listener = Listener(window=20, max_syntheses=10)
    await listener.move(0)
    assert listener.audio.asked() == [0, 1]
    await listener.reach(0, "making", "cached")
    await listener.move(1)
    assert listener.audio.asked() == [0, 1, 2]
    assert ("leave", 1) not in listener.audio.log


async def test_a_made_block_counts_as_long_as_it_is() -> None:
    listener = Listener(window=20, max_syntheses=10)
    await listener.move(0)
    listener.audio.syntheses[0].seconds = 4.0
    await listener.reach(0, "making", "cached")
    assert listener.audio.asked() == [0, 1, 2]


async def test_a_jump_leaves_syntheses_before_it_asks_for_new_ones() -> None:
    listener = Listener(window=20, max_syntheses=2)
    await listener.move(0)
    await listener.reach(0, "making")
    listener.audio.log.clear()
    await listener.move(10)
    assert listener.audio.log == [("leave", 0), ("leave", 1), ("ask", 10), ("ask", 11)]
    assert listener.told.of(0) == ["queued", "making", "dropped"]
    assert listener.told.of(1) == ["queued", "dropped"]


async def test_a_jump_leaves_syntheses_at_once() -> None:
    listener = Listener(window=20, max_syntheses=2)
    await listener.move(0)
    listener.session.move(block_id(10), 0.0)
    assert listener.audio.log[-2:] == [("leave", 0), ("leave", 1)]


async def test_many_jumps_leave_nothing_behind() -> None:
    listener = Listener(count=200, window=20, max_syntheses=2)
    for number in range(0, 198, 3):
        listener.session.move(block_id(number), 0.0)
    await settle()
    asked, left = listener.audio.asked(), [number for what, number in listener.audio.log if what == "leave"]
    assert sorted({*asked} - {*left}) == [195, 196]


async def test_a_synthesis_in_the_window_before_and_after_a_jump_goes_on() -> None:
    listener = Listener(window=30, max_syntheses=10)
    await listener.move(5)
    await listener.move(4)
    assert listener.audio.asked() == [5, 6, 7, 4]
    assert listener.audio.log.count(("leave", 7)) == 1
    assert ("leave", 5) not in listener.audio.log


async def test_a_failed_block_says_why_and_holds_up_no_other() -> None:
    listener = Listener(window=30, max_syntheses=1)
    await listener.move(0)
    await listener.reach(0, "making", ModelFailed("It lost its voice."))
    failed = next(message for message in listener.told.messages if message.state == "failed")
    assert failed.error is not None
    assert (failed.error["status"], failed.error["detail"]) == (502, "It lost its voice.")
    assert listener.audio.asked() == [0, 1]


async def test_failures_do_not_stretch_the_window() -> None:
    listener = Listener(window=30, max_syntheses=10)
    await listener.move(0)
    for number in (0, 1, 2):
        await listener.reach(number, ModelFailed())
    assert listener.audio.asked() == [0, 1, 2]


async def test_a_failed_block_is_tried_again_when_the_listener_comes_to_it_and_only_then() -> None:
    listener = Listener(window=30, max_syntheses=10)
    await listener.move(0)
    await listener.reach(1, ModelFailed())
    await listener.move(0, 5)
    assert listener.audio.asked().count(1) == 1
    await listener.move(1)
    assert listener.audio.asked().count(1) == 2
    await listener.reach(1, ModelFailed())
    await listener.move(1, 2)  # still there
    assert listener.audio.asked().count(1) == 2


async def test_a_failed_block_is_tried_again_when_it_is_asked_for() -> None:
    listener = Listener(window=30, max_syntheses=10)
    await listener.move(0)
    await listener.reach(0, ModelFailed())
    listener.session.retry(block_id(0))
    await settle()
    assert listener.audio.asked().count(0) == 2
    listener.session.retry(block_id(1))  # being made
    listener.session.retry(block_id(15))  # not wanted
    await settle()
    assert listener.audio.asked().count(1) == 1
    assert 15 not in listener.audio.asked()


async def test_audio_that_is_gone_is_made_anew_when_it_is_asked_for() -> None:
    listener = Listener(window=10)
    listener.audio.cached = {0}
    await listener.move(0)
    listener.audio.cached = set()
    listener.session.retry(block_id(0))
    await settle()
    assert listener.audio.asked() == [0]


async def test_a_busy_model_is_asked_again_after_the_time_it_said() -> None:
    listener = Listener(window=30, max_syntheses=10)
    listener.audio.refusals = [busy(1)]
    clock = asyncio.get_running_loop().time
    before = clock()
    await listener.move(0)
    assert listener.audio.asked() == []
    waiting = next(message for message in listener.told.messages if message.retry_after)
    assert (waiting.block.int, waiting.state, waiting.retry_after) == (0, "queued", 1)
    assert waiting.error is not None
    await listener.audio.will_ask(0)
    assert clock() - before == pytest.approx(1)
    await settle()
    assert listener.audio.asked() == [0, 1, 2]


async def test_what_a_busy_model_gave_up_is_queued_again() -> None:
    listener = Listener(window=10)
    await listener.move(0)
    await listener.reach(0, "making", busy(1))
    assert listener.told.of(0) == ["queued", "making", "queued"]
    await listener.audio.will_ask(0)
    assert listener.audio.asked() == [0, 0]


async def test_a_block_is_not_asked_for_before_the_one_before_is_in_the_model_queue() -> None:
    listener = Listener(window=30, max_syntheses=10)
    listener.audio.queues_at_once = False
    await listener.move(0)
    assert listener.audio.asked() == [0]
    await listener.reach(0, "waiting")
    assert listener.audio.asked() == [0, 1]
    await listener.reach(1, "making", "cached")
    assert listener.audio.asked() == [0, 1, 2]


async def test_only_the_first_of_the_syntheses_in_progress_asks_for_admission() -> None:
    listener = Listener(window=30, max_syntheses=10)
    await listener.move(0)
    assert listener.audio.admitted == [False, True, True]


async def test_stop_drops_what_is_not_made_and_the_next_move_goes_on() -> None:
    listener = Listener(window=30, max_syntheses=10)
    await listener.move(0)
    await listener.reach(0, "making", "cached")
    listener.session.stop()
    await settle()
    assert listener.told.of(1)[-1] == "dropped"
    assert listener.told.of(0)[-1] == "ready"
    await listener.move(1)
    assert listener.audio.asked().count(1) == 2


async def test_close_leaves_every_synthesis_and_says_nothing_more() -> None:
    before = asyncio.all_tasks()
    listener = Listener(window=30, max_syntheses=10)
    listener.audio.refusals = [busy(1)]
    await listener.move(0)
    listener.audio.refusals = []
    await listener.move(3)
    told = len(listener.told.messages)
    listener.session.close()
    await settle()
    assert len(listener.told.messages) == told
    assert {number for what, number in listener.audio.log if what == "ask"} == {
        number for what, number in listener.audio.log if what == "leave"
    }
    assert asyncio.all_tasks() == before


async def test_behind_the_last_block_nothing_is_wanted() -> None:
    listener = Listener(count=5)
    await listener.move(5)
    assert listener.told.messages == []
    await listener.move(4)
    assert listener.audio.asked() == [4]

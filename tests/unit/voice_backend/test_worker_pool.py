"""The worker pool with a voice that does as it is told: what ends a request, and how its client hears of it."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from lectern_triton.voice_backend.nfc import to_nfc
from lectern_triton.voice_backend.request import Speak
from lectern_triton.voice_backend.voice import BadRequest, Chunk, Reference, Segment, Unavailable
from lectern_triton.voice_backend.worker_pool import WorkerPool

RATE = 1_000
LIMIT = 60.0  # seconds in which anything here must have happened


class TellingVoice:
    """Yields the chunks that `tell` yields; `tell` may wait, or raise."""

    def __init__(self, tell: Callable[[Segment, threading.Event], Iterator[Chunk]], concurrency: int = 1) -> None:
        self.concurrency = concurrency
        self.speak = tell
        self.closed = False

    def card(self) -> Mapping[str, Any]:
        return {"sample_rate": RATE, "speeds": [0.9, 1.1], "lexicon": False, "references": False, "voices": []}

    def close(self) -> None:
        self.closed = True


class Heard:
    """What a client hears; `end` is the last of it."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.ends: list[tuple[str, str]] = []
        self.left = False
        self.pulses = 0
        self._ended = threading.Event()

    def gone(self) -> bool:
        return self.left

    def chunk(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)

    def pulse(self) -> None:
        self.pulses += 1

    def done(self) -> None:
        self._end("done")

    def bad_request(self, message: str) -> None:
        self._end("bad_request", message)

    def unavailable(self, message: str) -> None:
        self._end("unavailable", message)

    def cancelled(self) -> None:
        self._end("cancelled")

    def failed(self, message: str) -> None:
        self._end("failed", message)

    def _end(self, kind: str, message: str = "") -> None:
        self.ends.append((kind, message))
        self._ended.set()

    @property
    def end(self) -> tuple[str, str]:
        assert self._ended.wait(LIMIT), "no end was heard"
        assert len(self.ends) == 1
        return self.ends[0]


class Clock:
    """The time that the pool goes by."""

    ahead = 0.0  # seconds

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("lectern_triton.voice_backend.worker_pool.time", made)
    return made


def second(*marks: tuple[int, int, int, int]) -> Chunk:
    return Chunk(np.zeros(RATE, np.int16), marks)


def hello(_: Segment, __: threading.Event) -> Iterator[Chunk]:
    yield second((0, 900, 0, 5))


def until_stopped(_: Segment, stop: threading.Event) -> Iterator[Chunk]:
    yield second()
    assert stop.wait(LIMIT)


def speak(text: str = "hello", lane: Any = "live", deadline: float | None = None, **more: Any) -> Speak:
    return Speak(Segment(text, {}, lane=lane, **more), deadline)


@pytest.fixture
def pool() -> Iterator[Callable[..., WorkerPool]]:
    made: list[WorkerPool] = []

    def make(tell: Any, concurrency: int = 1, live: int = 4, batch: int = 4) -> WorkerPool:
        made.append(WorkerPool(TellingVoice(tell, concurrency), {"live": live, "batch": batch}))
        return made[-1]

    yield make
    for one in made:
        one.close()


def ask(pool: WorkerPool, request: Speak, request_id: str = "") -> Heard:
    heard = Heard()
    pool.submit(request, heard, request_id)
    return heard


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_chunks_come_and_then_the_end(pool: Any) -> None:
    heard = ask(pool(hello), speak())
    assert heard.end == ("done", "")
    assert [chunk.audio.size for chunk in heard.chunks] == [RATE]


def test_marks_lie_on_the_text_as_it_was_sent(pool: Any) -> None:
    def tell(segment: Segment, _: threading.Event) -> Iterator[Chunk]:
        assert segment.text == "é is"
        yield second((0, 400, 0, 1), (400, 900, 2, 4))

    nfc = to_nfc("e\u0301 is")
    heard = ask(pool(tell), Speak(Segment(nfc.text, {}), None, nfc))
    assert heard.end == ("done", "")
    assert [chunk.marks for chunk in heard.chunks] == [((0, 400, 0, 2), (400, 900, 3, 5))]


def test_who_waits_hears_that_the_request_is_not_lost(pool: Any) -> None:
    one = pool(until_stopped)
    spoken, waiting = ask(one, speak(), "first"), ask(one, speak())
    wait_for(lambda: spoken.pulses > 1 and waiting.pulses > 1)
    assert not waiting.chunks
    one.cancel("first")
    assert spoken.end == ("cancelled", "")


@pytest.mark.parametrize(
    ("error", "kind"),
    [(BadRequest("no such voice"), "bad_request"), (Unavailable("no engine"), "unavailable"), (OSError("x"), "failed")],
)
def test_what_a_voice_raises_becomes_its_answer(pool: Any, error: Exception, kind: str) -> None:
    def tell(_: Segment, __: threading.Event) -> Iterator[Chunk]:
        yield second()
        raise error

    one = pool(tell)
    heard = ask(one, speak())
    assert heard.end[0] == kind
    assert str(error) in heard.end[1]
    assert ask(one, speak()).end[0] == kind, "the worker lives on"


def test_audio_that_misses_words_is_a_failure(pool: Any) -> None:
    heard = ask(pool(hello), speak("hello " * 100))
    assert heard.end[0] == "failed"
    assert "1.00 s of audio" in heard.end[1]


def test_impossible_marks_are_a_failure(pool: Any) -> None:
    def tell(_: Segment, __: threading.Event) -> Iterator[Chunk]:
        yield second((0, 2 * RATE, 0, 5))

    assert ask(pool(tell), speak()).end[0] == "failed"


def test_a_lexicon_is_refused_where_the_card_does_not_say_so(pool: Any) -> None:
    end = ask(pool(hello), speak(lexicon={"a": "b"})).end
    assert end == ("bad_request", "this model has no lexicon: leave it out")


@pytest.mark.parametrize("speed", [0.25, 0.89, 1.11, 2.0])
def test_a_speed_that_is_not_the_models_own_is_refused(pool: Any, speed: float) -> None:
    kind, message = ask(pool(hello), speak(speed=speed)).end
    assert kind == "bad_request"
    assert message == "this model's own speeds are 0.9 to 1.1, as its card says: stretch its audio for the rest"


@pytest.mark.parametrize("speed", [0.9, 1.0, float(np.float32(1.1))])
def test_the_models_own_speeds_are_spoken_as_they_are_sent(pool: Any, speed: float) -> None:
    assert ask(pool(hello), speak(speed=speed)).end[0] == "done"


@pytest.mark.parametrize("speeds", [[0.5, 0.9], [1.1, 2], [0.1, 1], [1, 5]])
def test_a_card_whose_speeds_are_without_1_or_too_wide_does_not_load(speeds: list[float]) -> None:
    voice = TellingVoice(hello)
    card = {**voice.card(), "speeds": speeds}
    voice.card = lambda: card  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="must have 1 in them"):
        WorkerPool(voice, {"live": 1, "batch": 1})


def test_going_on_from_what_was_before_is_refused_where_the_card_does_not_say_so(pool: Any) -> None:
    before = Reference(np.zeros(4, np.int16), 24_000, "before")
    end = ask(pool(hello), speak(previous=before)).end
    assert end == ("bad_request", "this model does not go on from previous audio: leave it out")


def test_markup_is_refused_where_the_card_does_not_say_so(pool: Any) -> None:
    end = ask(pool(hello), speak(markup=True)).end
    assert end == ("bad_request", "this model reads no markup: leave it out")


class Measures:
    """The metrics of one pool."""

    def __init__(self) -> None:
        self.first: list[float] = []
        self.ended = False

    def begin(self, waiting: Callable[[], Mapping[Any, int]]) -> None:
        self.waiting = waiting

    def first_audio(self, seconds: float) -> None:
        self.first.append(seconds)

    def end(self) -> None:
        self.ended = True


def test_a_meter_hears_what_waits_and_when_the_first_samples_came() -> None:
    go_on = threading.Event()

    def tell(_: Segment, __: threading.Event) -> Iterator[Chunk]:
        yield Chunk(np.empty(0, np.int16))
        assert go_on.wait(LIMIT)
        yield second((0, 900, 0, 5))
        yield second()

    metrics = Measures()
    one = WorkerPool(TellingVoice(tell), {"live": 4, "batch": 4}, metrics)
    heard = [ask(one, speak()), ask(one, speak(lane="batch"))]
    wait_for(lambda: metrics.waiting() == {"live": 0, "batch": 1} and heard[0].chunks)
    assert not metrics.first, "an empty chunk is no sound"
    go_on.set()
    assert [each.end[0] for each in heard] == ["done"] * 2
    one.close()
    assert len(metrics.first) == 2
    assert min(metrics.first) >= 0
    assert metrics.ended


def test_a_client_that_leaves_stops_the_voice(pool: Any) -> None:
    heard = ask(pool(until_stopped), speak())
    wait_for(lambda: heard.chunks)
    heard.left = True
    assert heard.end == ("cancelled", "")


def test_a_request_is_cancelled_by_its_id(pool: Any) -> None:
    one = pool(until_stopped, concurrency=2)
    heard, other = ask(one, speak(), "a"), ask(one, speak(), "b")
    wait_for(lambda: heard.chunks and other.chunks)
    one.cancel("nobody")
    one.cancel("a")
    assert heard.end == ("cancelled", "")
    assert not other.ends


def test_a_deadline_that_passes_while_speaking_stops_the_voice(pool: Any, clock: Clock) -> None:
    heard = ask(pool(until_stopped), speak(deadline=60))
    wait_for(lambda: heard.chunks)
    clock.ahead = 61
    assert heard.end == ("unavailable", "the deadline of 60000 ms passed after 1.00 s of audio")


def test_waiting_requests_end_at_their_deadline_or_when_their_client_leaves(pool: Any) -> None:
    one = pool(until_stopped)
    running = ask(one, speak())
    wait_for(lambda: running.chunks)
    late, left = ask(one, speak(deadline=0.05)), ask(one, speak())
    left.left = True
    assert late.end == ("unavailable", "the deadline of 50 ms passed after 0.00 s of audio")
    assert left.end == ("cancelled", "")
    assert not running.ends


class SlowToAsk(Heard):
    """Of whom Triton says only after a while whether they have gone."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def gone(self) -> bool:
        time.sleep(self._seconds)
        return super().gone()


def ask_slowly(pool: WorkerPool, count: int, seconds: float) -> list[SlowToAsk]:
    heard = [SlowToAsk(seconds) for _ in range(count)]
    for one in heard:
        pool.submit(speak(), one, "")
    return heard


def test_slow_answers_about_who_has_gone_keep_nobody_from_a_sign_of_life(pool: Any) -> None:
    one = pool(until_stopped, live=20)
    waiting = ask_slowly(one, 20, 0.5)
    wait_for(lambda: all(heard.pulses for heard in waiting))
    one.cancel("")  # asking about all of them once would take ten seconds
    assert all(heard.end == ("cancelled", "") for heard in waiting)


def test_every_client_is_asked_about_however_long_each_takes(pool: Any) -> None:
    one = pool(until_stopped, live=6)
    waiting = ask_slowly(one, 6, 0.3)
    waiting[5].left = True
    assert waiting[5].end == ("cancelled", "")
    one.cancel("")


def test_a_full_lane_refuses(pool: Any) -> None:
    one = pool(until_stopped, live=1, batch=1)
    running = ask(one, speak())
    wait_for(lambda: running.chunks)
    ask(one, speak())
    assert ask(one, speak()).end == ("unavailable", "the live queue is full: try again later")


def test_live_overtakes_batch(pool: Any) -> None:
    order: list[str] = []
    first, gate = threading.Event(), threading.Event()

    def tell(segment: Segment, _: threading.Event) -> Iterator[Chunk]:
        order.append(segment.text)
        first.set()
        assert gate.wait(LIMIT)
        yield second()

    one = pool(tell)
    heard = [ask(one, speak("first"))]
    assert first.wait(LIMIT)
    heard += [ask(one, speak("batch", "batch")), ask(one, speak("live", "live"))]
    gate.set()
    assert [one.end[0] for one in heard] == ["done"] * 3
    assert order == ["first", "live", "batch"]


def test_as_many_are_spoken_at_once_as_the_voice_can(pool: Any) -> None:
    together = threading.Barrier(3)

    def tell(_: Segment, __: threading.Event) -> Iterator[Chunk]:
        together.wait(LIMIT)
        yield second()

    one = pool(tell, concurrency=3)
    assert [heard.end[0] for heard in [ask(one, speak()) for _ in range(3)]] == ["done"] * 3


def test_closing_answers_everybody_and_closes_the_voice() -> None:
    voice = TellingVoice(until_stopped)
    one = WorkerPool(voice, {"live": 4, "batch": 4})
    running, waiting = ask(one, speak()), ask(one, speak())
    wait_for(lambda: running.chunks)
    one.close()
    assert running.end == waiting.end == ("unavailable", "the model is being unloaded")
    assert ask(one, speak()).end[0] == "unavailable"
    assert voice.closed


def test_a_voice_that_makes_no_progress_at_all_is_told_from_a_busy_one(pool: Any, clock: Clock) -> None:
    """The guard takes a busy model for alive, and recovers one that fails."""
    one = pool(until_stopped, live=1)
    first = ask(one, speak())
    wait_for(lambda: first.chunks)
    waiting = ask(one, speak(deadline=50.0))
    assert ask(one, speak()).end == ("unavailable", "the live queue is full: try again later")
    clock.ahead = 40.0
    assert ask(one, speak()).end[0] == "unavailable", "not yet"
    clock.ahead = 70.0
    assert waiting.end[0] == "failed"
    assert "no request has made any progress for 70 s: the model hangs" in waiting.end[1]


def test_a_voice_that_rested_for_long_does_not_hang(pool: Any, clock: Clock) -> None:
    one = pool(until_stopped, live=0)
    clock.ahead = 600.0
    first = ask(one, speak())
    wait_for(lambda: first.chunks)
    assert ask(one, speak()).end == ("unavailable", "the live queue is full: try again later")

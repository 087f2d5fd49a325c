"""Speaks requests from the lanes with worker threads, and ends those whose client has gone or whose deadline passed."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from lectern_contract import PULSE, Lane
from lectern_triton.voice_backend.lanes import LaneFull, Lanes
from lectern_triton.voice_backend.markup import pauses_in, without_markup
from lectern_triton.voice_backend.plausibility import Implausible, check_length, check_marks
from lectern_triton.voice_backend.protocol import BadRequest, Chunk, Mark, Segment, Unavailable, Voice
from lectern_triton.voice_backend.request import Speak

WATCH_INTERVAL: Final = 0.02  # seconds between two looks at whether the clients are still there
ASKING: Final = 0.25  # seconds that one look may take before those who wait are heard of again

_CANNOT: Final = {
    "speed": "has no speed",
    "lexicon": "has no lexicon",
    "references": "has no references",
    "previous": "does not go on from previous audio",
    "markup": "reads no markup",
}

log = logging.getLogger(__name__)


class Reply(Protocol):
    """The way back to one client. Each of the four endings is called at most once, and nothing after it."""

    def gone(self) -> bool:
        """Say whether nobody waits for the answer any more."""

    def piece(self, piece: Chunk) -> None: ...

    def pulse(self) -> None:
        """Tell the client that its request is not lost."""

    def done(self) -> None: ...

    def bad_request(self, message: str) -> None: ...

    def unavailable(self, message: str) -> None: ...

    def cancelled(self) -> None: ...

    def failed(self, message: str) -> None: ...


class Meter(Protocol):
    """Hears how requests go, from several threads; it must not make them wait."""

    def begin(self, waiting: Callable[[], Mapping[Lane, int]]) -> None:
        """Before the first request: `waiting` says at any time how many wait in each lane."""

    def first_audio(self, seconds: float) -> None:
        """A request's first samples were sent so long after its arrival."""

    def end(self) -> None:
        """After the last request."""


@dataclass(eq=False, slots=True)
class Job:
    """One request to speak, from its arrival to its end."""

    request: Speak
    reply: Reply
    request_id: str
    arrived: float
    stop: threading.Event = field(default_factory=threading.Event)
    client_gone: bool = False
    heard_of: float = field(default_factory=time.monotonic)
    """When the client last had something from us."""
    asked: float = 0.0
    """When Triton was last asked whether the client is still there."""

    def late(self, now: float) -> bool:
        return self.request.deadline is not None and now >= self.arrived + self.request.deadline


class Speaker:
    """Owns a voice, its lanes and its threads."""

    def __init__(self, voice: Voice, limits: Mapping[Lane, int], meter: Meter | None = None) -> None:
        self._voice = voice
        self._meter = meter
        card = voice.card()
        self._rate: int = card["sample_rate"]
        self._supports = {feature: bool(card[feature]) for feature in ("speed", "lexicon", "references")}
        self._supports |= {feature: bool(card.get(feature)) for feature in ("previous", "markup")}
        self._lanes: Lanes[Job] = Lanes(limits)
        if meter is not None:
            meter.begin(lambda: self._lanes.waiting)
        self._present: set[Job] = set()  # waiting or being spoken
        self._arrival = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"voice-{number}", daemon=True)
            for number in range(voice.concurrency)
        ]
        self._threads.append(threading.Thread(target=self._watch, name="voice-watch", daemon=True))
        for thread in self._threads:
            thread.start()

    def submit(self, request: Speak, reply: Reply, request_id: str = "") -> None:
        """Take a request, or answer at once why not; never waits."""
        segment = request.segment
        asked = {
            "speed": segment.speed != 1,
            "lexicon": bool(segment.lexicon),
            "references": segment.reference is not None,
            "previous": segment.previous is not None,
            "markup": segment.markup,
        }
        for feature, wanted in asked.items():
            if wanted and not self._supports[feature]:
                reply.bad_request(f"this model {_CANNOT[feature]}: leave it out")
                return
        job = Job(request, reply, request_id, time.monotonic())
        with self._arrival:
            self._present.add(job)
            self._arrival.notify()
        try:
            self._lanes.put(request.segment.lane, job)
        except LaneFull:
            self._leave(job)
            reply.unavailable(f"the {request.segment.lane} queue is full: try again later")

    def cancel(self, request_id: str) -> None:
        """Speak this request no further; one that has ended, or never was, is no error."""
        with self._arrival:
            jobs = [job for job in self._present if job.request_id == request_id]
        for job in jobs:
            job.client_gone = True
            self._stop(job)

    def close(self) -> None:
        """Stop what is being spoken, refuse what waits, and free the voice."""
        waiting = self._lanes.close()
        with self._arrival:
            self._closed = True
            self._arrival.notify()
        for job in waiting:
            job.reply.unavailable("the model is being unloaded")
        with self._arrival:
            present = list(self._present)
        for job in present:
            job.stop.set()
        for thread in self._threads:
            thread.join(timeout=5)
        self._voice.close()
        if self._meter is not None:
            self._meter.end()

    def _work(self) -> None:
        while (job := self._lanes.take()) is not None:
            try:
                self._speak(job)
            except Exception:  # the thread must outlive whatever one answer brings
                log.exception("a request could not be answered")
            finally:
                self._leave(job)

    def _speak(self, job: Job) -> None:
        segment, reply = job.request.segment, job.reply
        samples = 0
        marks: list[Mark] = []
        try:
            if not self._ended(job, samples):
                for piece in self._voice.speak(segment, job.stop):
                    if self._ended(job, samples):
                        return
                    self._send(job, piece, samples)
                    samples += piece.audio.size
                    marks += piece.marks
                if self._ended(job, samples):
                    return
                self._check_length(segment, samples)
                check_marks(segment.text, samples, marks)
                reply.done()
        except BadRequest as error:
            reply.bad_request(str(error))
        except Unavailable as error:
            reply.unavailable(str(error))
        except Implausible as error:
            reply.failed(str(error))
        except Exception as error:
            if self._ended(job, samples):  # it may have failed because it was stopped
                return
            log.exception("a segment could not be spoken")
            reply.failed(f"the voice failed: {type(error).__name__}: {error}")

    def _send(self, job: Job, piece: Chunk, samples: int) -> None:
        """`samples`: how many were sent before."""
        marks = tuple(map(job.request.composed.mark_as_sent, piece.marks))
        job.reply.piece(Chunk(piece.audio, marks))
        job.heard_of = time.monotonic()
        if self._meter is not None and not samples and piece.audio.size:
            self._meter.first_audio(job.heard_of - job.arrived)

    def _check_length(self, segment: Segment, samples: int) -> None:
        text, silence = segment.text, 0.0
        if segment.markup:
            text, silence = without_markup(segment.text), pauses_in(segment.text)
        check_length(text, samples / self._rate - silence, segment.speed)

    def _ended(self, job: Job, samples: int) -> bool:
        """Answer a job that should be spoken no further, and say whether it was so."""
        if job.client_gone:
            job.reply.cancelled()
        elif job.late(time.monotonic()):
            deadline = (job.request.deadline or 0) * 1_000
            job.reply.unavailable(
                f"the deadline of {deadline:.0f} ms passed after {samples / self._rate:.2f} s of audio"
            )
        elif job.stop.is_set():
            job.reply.unavailable("the model is being unloaded")
        else:
            return False
        return True

    def _stop(self, job: Job) -> None:
        """Have the worker that speaks it end it, or end it here if it still waits."""
        job.stop.set()
        if self._lanes.remove(job.request.segment.lane, job):
            self._leave(job)
            self._ended(job, 0)

    def _leave(self, job: Job) -> None:
        with self._arrival:
            self._present.discard(job)

    def _watch(self) -> None:
        """Look after all jobs in one thread: asking Triton about each from its own thread would cost more."""
        while True:
            with self._arrival:
                while not self._present and not self._closed:
                    self._arrival.wait()
                if self._closed:
                    return
                present = list(self._present)
            for job in present:
                self._safely(self._look_after, job)
            self._ask_who_has_gone(present)
            time.sleep(WATCH_INTERVAL)

    def _look_after(self, job: Job) -> None:
        if job.stop.is_set():
            return
        now = time.monotonic()
        if job.client_gone or job.late(now):
            self._stop(job)
        elif now - job.heard_of >= PULSE:
            job.reply.pulse()
            job.heard_of = now

    def _ask_who_has_gone(self, jobs: list[Job]) -> None:
        """Ask first about those who were not asked about for longest.

        Triton answers each question after a way through its own process. On a busy machine asking about many takes
        longer than clients wait for a sign of life, so that the rest is left for the next time.
        """
        began = time.monotonic()
        for job in sorted(jobs, key=lambda job: job.asked):
            self._safely(self._ask, job)
            if time.monotonic() - began > ASKING:
                return

    def _ask(self, job: Job) -> None:
        job.asked = time.monotonic()
        if not job.stop.is_set() and job.reply.gone():
            job.client_gone = True
            self._stop(job)

    def _safely(self, look: Callable[[Job], None], job: Job) -> None:
        try:
            look(job)
        except Exception:  # the watching thread must outlive whatever one answer brings
            log.exception("a request could not be looked after")

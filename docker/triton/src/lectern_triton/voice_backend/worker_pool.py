"""Worker threads that speak requests, and a watching thread that ends those whose client or deadline has gone."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np

import lectern_contract as contract
from lectern_contract import PULSE, Lane
from lectern_triton.voice_backend.audio_checks import Implausible, check_length, check_marks
from lectern_triton.voice_backend.lane_queue import LaneFull, LaneQueue
from lectern_triton.voice_backend.markup import pauses_in, without_markup
from lectern_triton.voice_backend.request import Speak
from lectern_triton.voice_backend.voice import BadRequest, Chunk, Mark, Segment, Unavailable, Voice

WATCH_INTERVAL: Final = 0.02  # seconds between two looks at whether the clients are still there
STUCK: Final = 60.0  # seconds without any progress after which requests are told that the model hangs
ASKING: Final = 0.25  # seconds that one look may take: the jobs that it does not reach wait for the next look

_CANNOT: Final = {
    "lexicon": "has no lexicon",
    "references": "has no references",
    "previous": "does not go on from previous audio",
    "markup": "reads no markup",
}

log = logging.getLogger(__name__)


class Reply(Protocol):
    """The answer to one client. At most one of the endings is called, and nothing after it."""

    def gone(self) -> bool:
        """Returns whether the client no longer waits for the answer."""

    def chunk(self, chunk: Chunk) -> None: ...

    def pulse(self) -> None:
        """Sends a sign of life: the request is not lost."""

    def done(self) -> None: ...

    def bad_request(self, message: str) -> None: ...

    def unavailable(self, message: str) -> None: ...

    def cancelled(self) -> None: ...

    def failed(self, message: str) -> None: ...


class Metrics(Protocol):
    """Records how requests go. Several threads call it, and it must not block them."""

    def begin(self, waiting: Callable[[], Mapping[Lane, int]]) -> None:
        """Called before the first request. `waiting` returns how many requests wait in each lane."""

    def first_audio(self, seconds: float) -> None:
        """Called with the time from a request's arrival to its first samples."""

    def end(self) -> None:
        """Called after the last request."""


@dataclass(eq=False, slots=True)
class Job:
    """One request for speech, from its arrival to its end."""

    request: Speak
    reply: Reply
    request_id: str
    arrived: float
    stop: threading.Event = field(default_factory=threading.Event)
    client_gone: bool = False
    last_sent: float = field(default_factory=time.monotonic)
    """When something was last sent to the client."""
    last_checked: float = 0.0
    """When Triton was last asked whether the client is still there."""

    def late(self, now: float) -> bool:
        return self.request.deadline is not None and now >= self.arrived + self.request.deadline


def _speeds(card: Mapping[str, Any]) -> tuple[float, float]:
    """Returns the slowest and the fastest speed of a card. Raises ValueError."""
    slowest, fastest = card.get("speeds", (1, 1))
    if not contract.MIN_SPEED <= slowest <= 1 <= fastest <= contract.MAX_SPEED:
        raise ValueError(
            f"the card's speeds are {slowest} to {fastest}: they must have 1 in them, and lie between"
            f" {contract.MIN_SPEED:g} and {contract.MAX_SPEED:g}"
        )
    return slowest, fastest


class WorkerPool:
    """Owns a voice, its queue and its threads."""

    def __init__(
        self, voice: Voice, limits: Mapping[Lane, int], metrics: Metrics | None = None, stuck: float = STUCK
    ) -> None:
        self._voice = voice
        self._stuck = stuck
        self._progress = time.monotonic()
        """When a worker last took a request, sent a chunk or ended a request, or the first one came."""
        self._metrics = metrics
        card = voice.card()
        self._rate: int = card["sample_rate"]
        self._speeds = _speeds(card)
        self._supports = {feature: bool(card[feature]) for feature in ("lexicon", "references")}
        self._supports |= {feature: bool(card.get(feature)) for feature in ("previous", "markup")}
        self._queue: LaneQueue[Job] = LaneQueue(limits)
        if metrics is not None:
            metrics.begin(lambda: self._queue.waiting)
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
        """Queue a request, or refuse it at once. Never blocks."""
        segment = request.segment
        asked = {
            "lexicon": bool(segment.lexicon),
            "references": segment.reference is not None,
            "previous": segment.previous is not None,
            "markup": segment.markup,
        }
        for feature, wanted in asked.items():
            if wanted and not self._supports[feature]:
                reply.bad_request(f"this model {_CANNOT[feature]}: leave it out")
                return
        slowest, fastest = self._speeds
        if not np.float32(slowest) <= np.float32(segment.speed) <= np.float32(fastest):  # as speeds are sent
            own = f"{slowest:g} to {fastest:g}" if slowest < fastest else f"{slowest:g} alone"
            reply.bad_request(f"this model's own speeds are {own}, as its card says: stretch its audio for the rest")
            return
        job = Job(request, reply, request_id, time.monotonic())
        with self._arrival:
            if not self._present:
                self._progress = job.arrived
            self._present.add(job)
            self._arrival.notify()
        try:
            self._queue.put(request.segment.lane, job)
        except LaneFull:
            self._leave(job)
            if not self._is_stuck(job):
                reply.unavailable(f"the {request.segment.lane} queue is full: try again later")

    def cancel(self, request_id: str) -> None:
        """Cancels a request. An unknown id, or one that has ended, is no error."""
        with self._arrival:
            jobs = [job for job in self._present if job.request_id == request_id]
        for job in jobs:
            job.client_gone = True
            self._stop(job)

    def close(self) -> None:
        """Stops the running jobs, refuses the waiting ones, and frees the voice."""
        waiting = self._queue.close()
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
        if self._metrics is not None:
            self._metrics.end()

    def _work(self) -> None:
        while (job := self._queue.take()) is not None:
            self._progress = time.monotonic()
            try:
                self._speak(job)
            except Exception:  # one bad answer must not end the thread
                log.exception("a request could not be answered")
            finally:
                self._progress = time.monotonic()
                self._leave(job)

    def _speak(self, job: Job) -> None:
        segment, reply = job.request.segment, job.reply
        samples = 0
        marks: list[Mark] = []
        try:
            if not self._ended(job, samples):
                for chunk in self._voice.speak(segment, job.stop):
                    if self._ended(job, samples):
                        return
                    self._send(job, chunk, samples)
                    samples += chunk.audio.size
                    marks += chunk.marks
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
            if self._ended(job, samples):  # the failure may be the effect of the stop
                return
            log.exception("a segment could not be spoken")
            reply.failed(f"the voice failed: {type(error).__name__}: {error}")

    def _send(self, job: Job, chunk: Chunk, samples: int) -> None:
        """Sends a chunk. `samples` is the number of samples sent before it."""
        marks = tuple(map(job.request.nfc.original_mark, chunk.marks))
        job.reply.chunk(Chunk(chunk.audio, marks))
        job.last_sent = self._progress = time.monotonic()
        if self._metrics is not None and not samples and chunk.audio.size:
            self._metrics.first_audio(job.last_sent - job.arrived)

    def _check_length(self, segment: Segment, samples: int) -> None:
        text, silence = segment.text, 0.0
        if segment.markup:
            text, silence = without_markup(segment.text), pauses_in(segment.text)
        check_length(text, samples / self._rate - silence, segment.speed)

    def _ended(self, job: Job, samples: int) -> bool:
        """Returns whether a job must end now; if so, answer it."""
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
        """Stops a job: its worker ends it, or this method does if it still waits."""
        job.stop.set()
        if self._queue.remove(job.request.segment.lane, job):
            self._leave(job)
            if job.client_gone or not self._is_stuck(job):
                self._ended(job, 0)

    def _is_stuck(self, job: Job) -> bool:
        """Returns whether the requests before this one make no progress at all; then answers that the model hangs.

        To say that it is busy would be a sign of life, and the guard would leave it alone for ever.
        """
        silent = time.monotonic() - self._progress
        if silent < self._stuck or self._closed:
            return False
        job.reply.failed(f"no request has made any progress for {silent:.0f} s: the model hangs")
        return True

    def _leave(self, job: Job) -> None:
        with self._arrival:
            self._present.discard(job)

    def _watch(self) -> None:
        """Looks after all jobs from one thread: to ask Triton from each job's own thread would cost more."""
        while True:
            with self._arrival:
                while not self._present and not self._closed:
                    self._arrival.wait()
                if self._closed:
                    return
                present = list(self._present)
            for job in present:
                self._safely(self._look_after, job)
            self._check_clients(present)
            time.sleep(WATCH_INTERVAL)

    def _look_after(self, job: Job) -> None:
        if job.stop.is_set():
            return
        now = time.monotonic()
        if job.client_gone or job.late(now):
            self._stop(job)
        elif now - job.last_sent >= PULSE:
            job.reply.pulse()
            job.last_sent = now

    def _check_clients(self, jobs: list[Job]) -> None:
        """Asks Triton whether the clients are still there, those first that were asked about longest ago.

        Each question takes a round trip to the process of the server. On a busy machine, asking about many clients
        takes longer than they wait for a sign of life, so the rest is left for the next look.
        """
        began = time.monotonic()
        for job in sorted(jobs, key=lambda job: job.last_checked):
            self._safely(self._check_client, job)
            if time.monotonic() - began > ASKING:
                return

    def _check_client(self, job: Job) -> None:
        job.last_checked = time.monotonic()
        if not job.stop.is_set() and job.reply.gone():
            job.client_gone = True
            self._stop(job)

    def _safely(self, look: Callable[[Job], None], job: Job) -> None:
        try:
            look(job)
        except Exception:  # one bad answer must not end the watching thread
            log.exception("a request could not be looked after")

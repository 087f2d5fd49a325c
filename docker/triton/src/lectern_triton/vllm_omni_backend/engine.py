"""Supervises one engine: starts it, checks its health, kills it when it hangs, and starts it again after a pause."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from lectern_triton.higgs_engine import messages
from lectern_triton.vllm_omni_backend.engine_connection import Connection, EngineEvent, EngineGone, Gone, Stream
from lectern_triton.vllm_omni_backend.engine_process import EngineProcess, Launch
from lectern_triton.voice_backend.voice import Unavailable

PROGRESS: Final = 10.0  # seconds between two lines in the log on a start
POLL: Final = 0.5  # seconds between two looks at the process
FIRST_PAUSE: Final = 1.0  # seconds before the engine is started again
LONGEST_PAUSE: Final = 60.0
HEALTHY: Final = 60.0  # seconds: an engine that was ready for so long starts the pauses anew
CLOSE_LIMIT: Final = 6.0  # seconds in which the engine must end when asked to

log = logging.getLogger(__name__)


class EngineFailed(Exception):  # noqa: N818 - it names a state of affairs
    """The engine did not start or cannot go on; the message says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """All in seconds."""

    start: float
    health_interval: float
    health: float


class EngineObserver(Protocol):
    """Told of an engine's starts; must not block."""

    def phase(self, name: str, seconds: float) -> None: ...

    def restarted(self) -> None: ...


@dataclass(slots=True)
class Backoff:
    """Exponential backoff: each failure in a row doubles the pause before the next start."""

    failures: int = 0

    def pause(self, ready_for: float) -> float:
        """Returns the pause, in seconds, after an engine that was ready for `ready_for` seconds before it failed."""
        if ready_for >= HEALTHY:
            self.failures = 0
        self.failures += 1
        return float(min(FIRST_PAUSE * 2 ** min(self.failures - 1, 16), LONGEST_PAUSE))


class Engine:
    """The engine of one model, across the processes that run it one after the other."""

    def __init__(self, launch: Launch, arguments: Mapping[str, Any], limits: Limits, observer: EngineObserver) -> None:
        self._launch = launch
        self._arguments = dict(arguments)
        self._limits = limits
        self._observer = observer
        self._connection: Connection | None = None
        self._ready: messages.Ready | None = None
        self._state: Callable[[], str] = lambda: "starts"
        self._failure: EngineFailed | None = None
        self._known = threading.Event()
        """Is set once the first start has succeeded or failed."""
        self._closing = threading.Event()
        self._aborted_before = 0
        self._supervisor = threading.Thread(target=self._supervise, name="engine-supervisor", daemon=True)

    def start(self) -> messages.Ready:
        """Waits until the engine is ready. Raises EngineFailed, with nothing left running."""
        self._supervisor.start()
        self._known.wait()
        if self._failure is not None or self._ready is None:
            raise self._failure or EngineFailed("the engine did not start")
        return self._ready

    def open(self) -> tuple[int, Stream, Connection]:
        """Opens a stream for a new request. Raises Unavailable, with the engine's state, while no engine is ready."""
        connection = self._connection
        try:
            if connection is None:
                raise Unavailable(f"the engine {self._state()}")
            return (*connection.open(), connection)
        except EngineGone as error:
            raise Unavailable(f"the engine failed: {error}") from None

    @property
    def up(self) -> bool:
        return self._connection is not None

    @property
    def running(self) -> int:
        """The number of requests in the engine."""
        connection = self._connection
        return connection.running if connection is not None else 0

    @property
    def aborted(self) -> int:
        """The number of requests that were aborted in the engine so far."""
        connection = self._connection
        return self._aborted_before + (connection.aborted if connection is not None else 0)

    def close(self) -> None:
        """Stops the engine for good; its requests fail."""
        self._closing.set()
        if connection := self._connection:
            connection.send(messages.Close())
        self._supervisor.join()

    def _supervise(self) -> None:
        backoff = Backoff()
        while True:
            reason, ready_for = self._run_once()
            if self._closing.is_set() or not self._known.is_set():
                break
            pause = backoff.pause(ready_for)
            log.error("the engine failed (%s); it is started again in %g s", reason, pause)
            self._set_paused(reason, pause)
            if self._closing.wait(pause):
                break
            self._observer.restarted()
        if not self._known.is_set():
            self._failure = EngineFailed(f"the engine cannot start: {reason}")
            self._known.set()

    def _run_once(self) -> tuple[str, float]:
        """Runs one process until it ends. Returns why it ended, and for how many seconds it was ready."""
        began = time.monotonic()
        self._set_starting(began, [])
        try:
            process = EngineProcess(self._launch)
        except OSError as error:
            return f"{self._launch.python} cannot be run: {error}", 0.0
        connection = Connection(process.socket)
        reason, ready_at = "the model is being unloaded", None
        try:
            connection.send(messages.Start(self._arguments))
            self._ready = self._await_ready(connection, process, began)
            ready_at = time.monotonic()
            self._connection = connection
            self._known.set()
            self._watch_health(connection, process)
            process.wait(CLOSE_LIMIT)
        except EngineFailed as error:
            reason = str(error)
        finally:
            self._connection = None
            connection.fail(reason)
            process.kill()
            self._aborted_before += connection.aborted
            connection.close()
        return reason, time.monotonic() - ready_at if ready_at is not None else 0.0

    def _await_ready(self, connection: Connection, process: EngineProcess, began: float) -> messages.Ready:
        over: list[str] = []
        told = began
        while not self._closing.is_set():
            match self._event(connection, process):
                case messages.Ready() as ready:
                    self._phase("total", time.monotonic() - began)
                    return ready
                case messages.CannotStart(message):
                    raise EngineFailed(message)
                case messages.Phase(name, seconds):
                    self._phase(name, seconds)
                    over.append(f"{name} {seconds:.1f} s")
                    self._set_starting(began, over)
            now = time.monotonic()
            if now - began > self._limits.start:
                raise EngineFailed(f"it was not ready within {self._limits.start:g} s{_last_output(process)}")
            if now - told >= PROGRESS:
                told = now
                log.info("the engine %s", self._state())
        raise EngineFailed("the model is being unloaded")

    def _watch_health(self, connection: Connection, process: EngineProcess) -> None:
        """Checks the engine's health until it is to end. Raises EngineFailed when it cannot go on."""
        due = time.monotonic()
        asked: float | None = None
        while not self._closing.is_set():
            if isinstance(event := self._event(connection, process), messages.Health):
                if event.trouble:
                    raise EngineFailed(f"it is in trouble: {event.trouble}")
                asked = None
            now = time.monotonic()
            if asked is not None and now - asked > self._limits.health:
                raise EngineFailed(f"it has not answered for {now - asked:.0f} s{_last_output(process)}")
            if asked is None and now >= due:
                connection.send(messages.CheckHealth())
                asked, due = now, now + self._limits.health_interval

    def _event(self, connection: Connection, process: EngineProcess) -> EngineEvent | None:
        """Returns the engine's next event, or None if there is none for a moment."""
        try:
            event = connection.events.get(timeout=POLL)
        except queue.Empty:
            if process.alive():
                return None
            event = Gone("its process ended")  # a process that it started still holds its socket
        if isinstance(event, Gone):
            why = f"its process {process.ending()}" if process.wait(POLL) else event.why
            raise EngineFailed(f"{why}{_last_output(process)}")
        return event

    def _phase(self, name: str, seconds: float) -> None:
        log.info("start of the engine: %s took %.2f s", name, seconds)
        self._observer.phase(name, seconds)

    def _set_starting(self, began: float, over: list[str]) -> None:
        done = ", ".join(over) or "nothing yet"
        self._state = lambda: (
            f"is starting, for {time.monotonic() - began:.0f} s so far (over: {done}): try again later"
        )

    def _set_paused(self, reason: str, pause: float) -> None:
        due = time.monotonic() + pause
        self._state = lambda: (
            f"failed ({reason}) and is started again in {max(0.0, due - time.monotonic()):.0f} s: try again later"
        )


def _last_output(process: EngineProcess) -> str:
    line = process.last_line()
    return f"; it said last: {line}" if line else ""

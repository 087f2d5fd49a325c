"""Keeps one engine running: started, asked how it does, ended when it hangs, and started again after a pause."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from lectern_triton.higgs_engine import wire
from lectern_triton.vllm_omni_backend.backoff import Backoff
from lectern_triton.vllm_omni_backend.connection import Connection, EngineGone, Event, Gone, Stream
from lectern_triton.vllm_omni_backend.process import Command, EngineProcess
from lectern_triton.voice_backend.protocol import Unavailable

PROGRESS: Final = 10.0  # seconds between two lines in the log on a start
GLANCE: Final = 0.5  # seconds between two looks at the process
CLOSE_LIMIT: Final = 6.0  # seconds for the engine to end when it is asked to

log = logging.getLogger(__name__)


class EngineFailed(Exception):  # noqa: N818 - it names a state of affairs
    """The engine did not start, or cannot go on; the message says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds."""

    start: float
    health_interval: float
    health: float


class Listener(Protocol):
    """Hears of an engine's life; must not make it wait."""

    def phase(self, name: str, seconds: float) -> None: ...

    def restarted(self) -> None: ...


class Engine:
    """The engine of one model, whichever process it is at the moment."""

    def __init__(self, command: Command, arguments: Mapping[str, Any], limits: Limits, listener: Listener) -> None:
        self._command = command
        self._arguments = dict(arguments)
        self._limits = limits
        self._listener = listener
        self._connection: Connection | None = None
        self._ready: wire.Ready | None = None
        self._state: Callable[[], str] = lambda: "starts"
        self._failure: EngineFailed | None = None
        self._known = threading.Event()
        """Set once the first start has ended, well or not."""
        self._closing = threading.Event()
        self._aborted_before = 0
        self._keeper = threading.Thread(target=self._keep, name="engine-keeper", daemon=True)

    def start(self) -> wire.Ready:
        """Return once it is ready. Raises EngineFailed; nothing is left behind then."""
        self._keeper.start()
        self._known.wait()
        if self._failure is not None or self._ready is None:
            raise self._failure or EngineFailed("the engine did not start")
        return self._ready

    def open(self) -> tuple[int, Stream, Connection]:
        """Begin a request. Raises Unavailable, with what is going on, while there is no engine."""
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
        """How many requests it has."""
        connection = self._connection
        return connection.running if connection is not None else 0

    @property
    def aborted(self) -> int:
        """How many requests were aborted in it, by now."""
        connection = self._connection
        return self._aborted_before + (connection.aborted if connection is not None else 0)

    def close(self) -> None:
        """End it for good; requests that it has fail."""
        self._closing.set()
        if connection := self._connection:
            connection.order(wire.Close())
        self._keeper.join()

    def _keep(self) -> None:
        backoff = Backoff()
        while True:
            reason, ready_for = self._run_once()
            if self._closing.is_set() or not self._known.is_set():
                break
            pause = backoff.pause(ready_for)
            log.error("the engine failed (%s); it is started again in %g s", reason, pause)
            self._say_pause(reason, pause)
            if self._closing.wait(pause):
                break
            self._listener.restarted()
        if not self._known.is_set():
            self._failure = EngineFailed(f"the engine cannot start: {reason}")
            self._known.set()

    def _run_once(self) -> tuple[str, float]:
        """Run one process to its end; return why it ended, and for how many seconds it was ready."""
        began = time.monotonic()
        self._say_start(began, [])
        try:
            process = EngineProcess(self._command)
        except OSError as error:
            return f"{self._command.python} cannot be run: {error}", 0.0
        connection = Connection(process.socket)
        reason, ready_at = "the model is being unloaded", None
        try:
            connection.order(wire.Start(self._arguments))
            self._ready = self._await_ready(connection, process, began)
            ready_at = time.monotonic()
            self._connection = connection
            self._known.set()
            self._look_after(connection, process)
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

    def _await_ready(self, connection: Connection, process: EngineProcess, began: float) -> wire.Ready:
        over: list[str] = []
        told = began
        while not self._closing.is_set():
            match self._event(connection, process):
                case wire.Ready() as ready:
                    self._phase("total", time.monotonic() - began)
                    return ready
                case wire.CannotStart(message):
                    raise EngineFailed(message)
                case wire.Phase(name, seconds):
                    self._phase(name, seconds)
                    over.append(f"{name} {seconds:.1f} s")
                    self._say_start(began, over)
            now = time.monotonic()
            if now - began > self._limits.start:
                raise EngineFailed(f"it was not ready within {self._limits.start:g} s{_said(process)}")
            if now - told >= PROGRESS:
                told = now
                log.info("the engine %s", self._state())
        raise EngineFailed("the model is being unloaded")

    def _look_after(self, connection: Connection, process: EngineProcess) -> None:
        """Return when the engine shall end. Raises EngineFailed when it cannot go on."""
        due = time.monotonic()
        asked: float | None = None
        while not self._closing.is_set():
            if isinstance(event := self._event(connection, process), wire.Health):
                if event.trouble:
                    raise EngineFailed(f"it is in trouble: {event.trouble}")
                asked = None
            now = time.monotonic()
            if asked is not None and now - asked > self._limits.health:
                raise EngineFailed(f"it has not answered for {now - asked:.0f} s{_said(process)}")
            if asked is None and now >= due:
                connection.order(wire.Ask())
                asked, due = now, now + self._limits.health_interval

    def _event(self, connection: Connection, process: EngineProcess) -> Event | None:
        """Return what the engine says of itself; None if it says nothing for a moment."""
        try:
            event = connection.events.get(timeout=GLANCE)
        except queue.Empty:
            if process.alive():
                return None
            event = Gone("its process ended")  # though something that it started holds its socket
        if isinstance(event, Gone):
            why = f"its process {process.ending()}" if process.wait(GLANCE) else event.why
            raise EngineFailed(f"{why}{_said(process)}")
        return event

    def _phase(self, name: str, seconds: float) -> None:
        log.info("start of the engine: %s took %.2f s", name, seconds)
        self._listener.phase(name, seconds)

    def _say_start(self, began: float, over: list[str]) -> None:
        done = ", ".join(over) or "nothing yet"
        self._state = lambda: (
            f"is starting, for {time.monotonic() - began:.0f} s so far (over: {done}): try again later"
        )

    def _say_pause(self, reason: str, pause: float) -> None:
        due = time.monotonic() + pause
        self._state = lambda: (
            f"failed ({reason}) and is started again in {max(0.0, due - time.monotonic()):.0f} s: try again later"
        )


def _said(process: EngineProcess) -> str:
    line = process.last_line()
    return f"; it said last: {line}" if line else ""

"""The socket to an engine: orders go out by one thread, reports come in by another and are sorted by request."""

import itertools
import logging
import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from lectern_triton.higgs_engine import wire
from lectern_triton.voice_backend.protocol import BadRequest

STEP: Final = 0.02  # seconds between two looks at whether to stop
ABORT_LIMIT: Final = 2.0  # seconds for the engine to say that it has ended what is not wanted any more

Event = wire.Phase | wire.Ready | wire.CannotStart | wire.Health
"""A report that is about the engine, not about a request."""

log = logging.getLogger(__name__)


class EngineGone(Exception):  # noqa: N818 - it names a state of affairs
    """There is no connection any more; the message says why."""


class RequestFailed(Exception):  # noqa: N818 - it names a state of affairs
    """The engine, which goes on, did not speak this request to its end."""


class OutOfFrames(RequestFailed):
    """It made as many frames as it was allowed, and had not come to its end."""


class Gone:
    """Put in place of a report when none will come any more."""

    def __init__(self, why: str) -> None:
        self.why = why


class Stream:
    """What the engine says on one request."""

    def __init__(self, connection: "Connection", request: int) -> None:
        self._connection = connection
        self._request = request
        self._heard = 0  # messages with audio
        self._ended = False
        self._reports: queue.SimpleQueue[wire.Audio | wire.End | wire.Failed | Gone] = queue.SimpleQueue()

    def put(self, report: wire.Audio | wire.End | wire.Failed | Gone) -> None:
        self._reports.put(report)

    def samples(self, stop: threading.Event, patience: float) -> Iterator[bytes]:
        """Yield samples until the end, or until `stop` is set; the engine then ends it too.

        Raises BadRequest, EngineGone, RequestFailed; also when nothing comes for `patience` seconds.
        """
        try:
            while not self._ended and (report := self._next(stop, patience)) is not None:
                if isinstance(report, wire.Audio):
                    yield self._in_order(report)
                else:
                    self._ended = True
                    self._check_end(report)
        finally:
            if not self._ended:
                self._abort()
            self._connection.forget(self._request)

    def _in_order(self, report: wire.Audio) -> bytes:
        if report.number != self._heard or len(report.samples) % 2:
            raise RequestFailed(f"its audio came out of order: {report.number} in place of {self._heard}")
        self._heard += 1
        return report.samples

    def _check_end(self, report: wire.End | wire.Failed | Gone) -> None:
        match report:
            case Gone():
                raise EngineGone(report.why)
            case wire.Failed(kind="bad_request"):
                raise BadRequest(report.message)
            case wire.Failed():
                raise RequestFailed(report.message or "the engine ended it unasked")
            case wire.End() if report.messages != self._heard:
                raise RequestFailed(f"{self._heard} messages with audio came of {report.messages}")
            case wire.End(complete=False):
                raise OutOfFrames("it did not come to its end")

    def _next(self, stop: threading.Event, patience: float) -> wire.Audio | wire.End | wire.Failed | Gone | None:
        """Return the next report, or None when `stop` is set first."""
        until = time.monotonic() + patience
        while not stop.is_set():
            try:
                return self._reports.get(timeout=STEP)
            except queue.Empty:
                if time.monotonic() > until:
                    raise RequestFailed(f"no audio came for {patience:g} s") from None
        return None

    def _abort(self) -> None:
        """Have the engine end it, and wait until it has: its place in the engine is free only then."""
        self._connection.order(wire.Abort(self._request))
        until = time.monotonic() + ABORT_LIMIT
        while time.monotonic() < until:
            with suppress(queue.Empty):
                match self._reports.get(timeout=STEP):
                    case wire.Failed(kind="aborted"):
                        self._connection.count_aborted()
                        return
                    case wire.Failed() | wire.End() | Gone():
                        return
        log.warning("request %d was not ended within %g s", self._request, ABORT_LIMIT)


class Connection:
    """Both directions, each with a thread of its own, so that an engine that hangs makes nobody wait."""

    def __init__(self, connected: socket.socket) -> None:
        self.events: queue.SimpleQueue[Event | Gone] = queue.SimpleQueue()
        """About the engine; after `Gone` nothing comes."""
        self.aborted = 0
        self._socket = connected
        self._orders: queue.SimpleQueue[wire.Order | None] = queue.SimpleQueue()
        self._streams: dict[int, Stream] = {}
        self._numbers = itertools.count()
        self._gone: Gone | None = None
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=target, name=f"engine-{name}", daemon=True)
            for name, target in (("orders", self._write), ("reports", self._read))
        ]
        for thread in self._threads:
            thread.start()

    def order(self, order: wire.Order) -> None:
        """Never waits; that there is nobody to take it any more is seen by what does not come back."""
        self._orders.put(order)

    def open(self) -> tuple[int, Stream]:
        """Return the number of a new request and what will be said of it. Raises EngineGone."""
        with self._lock:
            if self._gone is not None:
                raise EngineGone(self._gone.why)
            number = next(self._numbers)
            self._streams[number] = Stream(self, number)
            return number, self._streams[number]

    def forget(self, request: int) -> None:
        with self._lock:
            self._streams.pop(request, None)

    def count_aborted(self) -> None:
        with self._lock:
            self.aborted += 1

    @property
    def running(self) -> int:
        """How many requests the engine has."""
        with self._lock:
            return len(self._streams)

    def fail(self, why: str) -> None:
        """Tell everybody that nothing comes any more; the first reason counts."""
        with self._lock:
            if self._gone is not None:
                return
            self._gone = Gone(why)
            streams = list(self._streams.values())
        for stream in streams:
            stream.put(self._gone)
        self.events.put(self._gone)
        self._orders.put(None)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # which ends both threads' waiting

    def close(self) -> None:
        """Free the socket; the engine's process must have ended."""
        self.fail("the model is being unloaded")
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _write(self) -> None:
        try:
            while (order := self._orders.get()) is not None:
                self._socket.sendall(wire.packed(order))
        except ConnectionError:
            self.fail("its process ended")
        except OSError as error:
            self.fail(f"its connection broke ({error})")

    def _read(self) -> None:
        try:
            while True:
                length = wire.length_of(self._exactly(wire.HEAD))
                self._sort(wire.report(self._exactly(length)))
        except (EOFError, ConnectionError):
            self.fail("its process ended")
        except (OSError, wire.Broken) as error:
            self.fail(f"its connection broke ({error})")

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = self._socket.recv(count - len(parts))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)

    def _sort(self, report: wire.Report) -> None:
        if not isinstance(report, wire.Audio | wire.End | wire.Failed):
            self.events.put(report)
            return
        with self._lock:
            stream = self._streams.get(report.id)
        if stream is not None:  # else nobody waits for it any more
            stream.put(report)

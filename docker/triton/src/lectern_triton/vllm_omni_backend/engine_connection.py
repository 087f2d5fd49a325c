"""The socket to an engine: one thread sends commands, another receives events and sorts them by request."""

import itertools
import logging
import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from lectern_triton.higgs_engine import messages
from lectern_triton.voice_backend.voice import BadRequest

POLL: Final = 0.02  # seconds between two looks at whether to stop
ABORT_LIMIT: Final = 2.0  # seconds in which the engine must confirm an abort

EngineEvent = messages.Phase | messages.Ready | messages.CannotStart | messages.Health
"""An event about the engine, not about a request."""
RequestEvent = messages.Audio | messages.End | messages.Failed

log = logging.getLogger(__name__)


class EngineGone(Exception):  # noqa: N818 - it names a state of affairs
    """The connection is closed; the message says why."""


class RequestFailed(Exception):  # noqa: N818 - it names a state of affairs
    """The engine did not finish this request, and goes on with the others."""


class OutOfFrames(RequestFailed):
    """The engine made all frames that it was allowed without coming to the end of the text."""


class Gone:
    """Queued in place of an event when no more will come."""

    def __init__(self, why: str) -> None:
        self.why = why


class Stream:
    """The events of one request."""

    def __init__(self, connection: "Connection", request: int) -> None:
        self._connection = connection
        self._request = request
        self._received = 0  # messages with audio
        self._ended = False
        self._events: queue.SimpleQueue[RequestEvent | Gone] = queue.SimpleQueue()

    def put(self, event: RequestEvent | Gone) -> None:
        self._events.put(event)

    def samples(self, stop: threading.Event, patience: float) -> Iterator[bytes]:
        """Yields samples, as bytes, until the request ends or `stop` is set, which aborts it in the engine.

        Raises BadRequest, EngineGone and RequestFailed, the last also when nothing comes for `patience` seconds.
        """
        try:
            while not self._ended and (event := self._next(stop, patience)) is not None:
                if isinstance(event, messages.Audio):
                    yield self._in_order(event)
                else:
                    self._ended = True
                    self._check_end(event)
        finally:
            if not self._ended:
                self._abort()
            self._connection.forget(self._request)

    def _in_order(self, event: messages.Audio) -> bytes:
        if event.number != self._received or len(event.samples) % 2:
            raise RequestFailed(f"its audio came out of order: {event.number} in place of {self._received}")
        self._received += 1
        return event.samples

    def _check_end(self, event: messages.End | messages.Failed | Gone) -> None:
        match event:
            case Gone():
                raise EngineGone(event.why)
            case messages.Failed(kind="bad_request"):
                raise BadRequest(event.message)
            case messages.Failed():
                raise RequestFailed(event.message or "the engine ended it unasked")
            case messages.End() if event.messages != self._received:
                raise RequestFailed(f"{self._received} messages with audio came of {event.messages}")
            case messages.End(complete=False):
                raise OutOfFrames("it did not come to its end")

    def _next(self, stop: threading.Event, patience: float) -> RequestEvent | Gone | None:
        """Returns the next event, or None if `stop` is set first."""
        until = time.monotonic() + patience
        while not stop.is_set():
            try:
                return self._events.get(timeout=POLL)
            except queue.Empty:
                if time.monotonic() > until:
                    raise RequestFailed(f"no audio came for {patience:g} s") from None
        return None

    def _abort(self) -> None:
        """Abort the request and wait until the engine confirms it: only then is its slot in the engine free."""
        self._connection.send(messages.Abort(self._request))
        until = time.monotonic() + ABORT_LIMIT
        while time.monotonic() < until:
            with suppress(queue.Empty):
                match self._events.get(timeout=POLL):
                    case messages.Failed(kind="aborted"):
                        self._connection.count_aborted()
                        return
                    case messages.Failed() | messages.End() | Gone():
                        return
        log.warning("request %d was not ended within %g s", self._request, ABORT_LIMIT)


class Connection:
    """Both directions of the socket, with a thread each, so that an engine that hangs blocks nobody."""

    def __init__(self, connected: socket.socket) -> None:
        self.events: queue.SimpleQueue[EngineEvent | Gone] = queue.SimpleQueue()
        """Events about the engine. Nothing follows `Gone`."""
        self.aborted = 0
        self._socket = connected
        self._commands: queue.SimpleQueue[messages.Command | None] = queue.SimpleQueue()
        self._streams: dict[int, Stream] = {}
        self._numbers = itertools.count()
        self._gone: Gone | None = None
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=target, name=f"engine-{name}", daemon=True)
            for name, target in (("commands", self._write), ("events", self._read))
        ]
        for thread in self._threads:
            thread.start()

    def send(self, command: messages.Command) -> None:
        """Queue a command. Never blocks; whether the engine received it shows in its events."""
        self._commands.put(command)

    def open(self) -> tuple[int, Stream]:
        """Returns the number of a new request and its stream. Raises EngineGone."""
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
        """The number of requests in the engine."""
        with self._lock:
            return len(self._streams)

    def fail(self, why: str) -> None:
        """Closes the connection and ends all streams. The first reason counts."""
        with self._lock:
            if self._gone is not None:
                return
            self._gone = Gone(why)
            streams = list(self._streams.values())
        for stream in streams:
            stream.put(self._gone)
        self.events.put(self._gone)
        self._commands.put(None)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes both threads

    def close(self) -> None:
        """Frees the socket. The engine's process must have ended."""
        self.fail("the model is being unloaded")
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _write(self) -> None:
        try:
            while (command := self._commands.get()) is not None:
                self._socket.sendall(messages.encode(command))
        except ConnectionError:
            self.fail("its process ended")
        except OSError as error:
            self.fail(f"its connection broke ({error})")

    def _read(self) -> None:
        try:
            while True:
                length = messages.body_length(self._exactly(messages.HEADER))
                self._sort(messages.decode_event(self._exactly(length)))
        except (EOFError, ConnectionError):
            self.fail("its process ended")
        except (OSError, messages.ProtocolError) as error:
            self.fail(f"its connection broke ({error})")

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = self._socket.recv(count - len(parts))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)

    def _sort(self, event: messages.Event) -> None:
        if not isinstance(event, messages.Audio | messages.End | messages.Failed):
            self.events.put(event)
            return
        with self._lock:
            stream = self._streams.get(event.id)
        if stream is not None:  # otherwise nobody waits for it any more
            stream.put(event)

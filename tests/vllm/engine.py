"""An engine process and its socket, without Triton: what the backend would order is ordered here."""

import contextlib
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lectern_triton.higgs_engine import messages

ENGINE = "lectern_triton.higgs_engine"

START = 800.0  # seconds: it takes a minute and a half alone on two cores, which import everything five times over
LIMIT = 60.0  # seconds in which anything else must have happened
ROUNDING = 4  # of 32,768; sounds are of a few hundred

Samples = npt.NDArray[np.int16]


@dataclass
class Spoken:
    """What came for a request."""

    samples: Samples
    chunks: list[int]
    """Samples of each message."""
    end: messages.End | messages.Failed

    @property
    def frames(self) -> float:
        return self.samples.size / messages.FRAME

    @property
    def complete(self) -> bool:
        return isinstance(self.end, messages.End) and self.end.complete


@dataclass
class Engine:
    process: subprocess.Popen[bytes]
    socket: socket.socket
    phases: dict[str, float] = field(default_factory=dict)
    ready: messages.Ready | None = None
    _requests: dict[int, queue.SimpleQueue[messages.Event]] = field(default_factory=dict)
    _others: queue.SimpleQueue[messages.Event] = field(default_factory=queue.SimpleQueue)
    _next: int = 1

    def start(self, arguments: Mapping[str, Any]) -> None:
        threading.Thread(target=self._read, daemon=True).start()
        self._order(messages.Start(dict(arguments)))
        end = time.monotonic() + START
        while not isinstance(report := self._others.get(timeout=end - time.monotonic()), messages.Ready):
            assert isinstance(report, messages.Phase), report
            self.phases[report.name] = report.seconds
        self.ready = report

    def begin(self, request: messages.Speak) -> int:
        """The request's own number is not used."""
        number = self._next
        self._next += 1
        self._requests[number] = queue.SimpleQueue()
        fields = {name: getattr(request, name) for name in request.__struct_fields__}
        self._order(messages.Speak(**{**fields, "id": number}))
        return number

    def first(self, number: int) -> messages.Event:
        """Waits for something to come, and takes it."""
        return self._requests[number].get(timeout=LIMIT)

    def rest(self, number: int, *, received: int = 0) -> Spoken:
        chunks: list[Samples] = []
        while isinstance(report := self.first(number), messages.Audio):
            assert report.number == received + len(chunks)
            chunks.append(np.frombuffer(report.samples, "<i2"))
        assert isinstance(report, messages.End | messages.Failed), report
        samples = np.concatenate(chunks) if chunks else np.empty(0, np.int16)
        return Spoken(samples, [chunk.size for chunk in chunks], report)

    def speak(self, request: messages.Speak) -> Spoken:
        return self.rest(self.begin(request))

    def abort(self, number: int) -> None:
        self._order(messages.Abort(number))

    def health(self) -> messages.Health:
        self._order(messages.CheckHealth())
        report = self._others.get(timeout=LIMIT)
        assert isinstance(report, messages.Health), report
        return report

    def _order(self, order: messages.Command) -> None:
        self.socket.sendall(messages.encode(order))

    def _read(self) -> None:
        with contextlib.suppress(OSError), self.socket.makefile("rb") as stream:
            while head := stream.read(messages.HEADER):
                report = messages.decode_event(stream.read(messages.body_length(head)))
                number = getattr(report, "id", None)
                (self._others if number is None else self._requests[number]).put(report)


def alike(one: Samples, other: Samples) -> bool:
    """But for rounding, which goes by how many were spoken together: another code for one frame is not alike."""
    return one.size == other.size and int(np.abs(one.astype(int) - other).max()) <= ROUNDING


@contextlib.contextmanager
def running(python: str, driver: str, arguments: Mapping[str, Any], log: Path) -> Iterator[Engine]:
    """Ready, and ended with all that it has started when the block is left."""
    ours, theirs = socket.socketpair()
    with ours, theirs, log.open("wb") as output:
        process = subprocess.Popen(
            [python, "-s", "-P", "-m", ENGINE, "--driver", driver, "--socket", str(theirs.fileno())],
            cwd=log.parent,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            engine = Engine(process, ours)
            engine.start(arguments)
            yield engine
        except BaseException:
            print(log.read_text()[-20_000:])  # noqa: T201 - pytest shows it with the failure
            raise
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

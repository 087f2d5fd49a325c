"""Runs functions on untrusted bytes, each in a process of its own that can do nothing but compute.

A library may take gigabytes, or hours, to read a small file, and may be made to run code that the file brings along.
Nothing of that reaches the listeners, the files, the network, or the next file.
"""

import asyncio
import contextlib
import os
import select
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgspec
import structlog

from orchestrator.lib.sandbox.template import HEADER_SIZE, VALUE, Codec, Header

A = TypeVar("A")
R = TypeVar("R")

_ROOT: Final = Path(__file__).parents[3]
_PART: Final = 1 << 18  # bytes that are read at once
_AT_ONCE: Final = 2
_STARTS: Final = 2
# Without our own variables, which have secrets. One thread for each library: a copy of a process has no threads.
_ENVIRONMENT: Final = {
    **{name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ},
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}

log = structlog.stdlib.get_logger("lectern.sandbox")


class OverLimitError(Exception):
    """The function exceeded a limit, or failed. The message is for a log: what a file made happen."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one call may take. ``seconds`` are of processor time, ``wall_seconds`` pass on the clock."""

    memory: int = 512 << 20  # bytes, beyond what the process has with its modules loaded
    seconds: float = 10.0
    wall_seconds: float = 120.0  # on a busy machine many times the processor time
    output: int = 64 << 20  # bytes of the result


class Sandbox:
    """Runs the functions that it is made with; each may run any number of times.

    Such a function stands in a module by its name. It has one argument; argument and result have annotations, and are
    what msgspec can encode. It can open no file and start no thread, so its module imports all that it needs.
    """

    def __init__(self, *functions: Callable[[Any], Any], at_once: int = _AT_ONCE) -> None:
        self._codecs = {function: Codec.of(function) for function in functions}
        self._slots = asyncio.Semaphore(at_once)
        self._starting = asyncio.Lock()
        self._template: _Template | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._template is not None:
            await self._template.close()

    async def start(self) -> None:
        """Starts the process whose copies run the functions, so that the first call finds it ready."""
        try:
            await self._living_template()
        except OSError:  # the first call tries again
            log.exception("the sandbox could not be started")

    async def run(self, function: Callable[[A], R], argument: A, limits: Limits) -> R:
        """Returns the function's result. Raises OverLimitError. A caller that is cancelled ends the call's process."""
        codec = self._codecs[function]
        data = msgspec.msgpack.encode(argument)
        header = Header(
            function.__module__,
            function.__name__,
            len(data),
            limits.memory,
            limits.seconds,
            limits.wall_seconds,
            limits.output,
        )
        async with self._slots:
            answer = await self._exchange(header, data)
        if answer[:1] != VALUE:
            raise OverLimitError(answer[1:].decode(errors="replace"))
        try:
            return msgspec.msgpack.decode(memoryview(answer)[1:], type=codec.result)  # type: ignore[no-any-return]
        except msgspec.DecodeError as error:
            raise OverLimitError(f"no such result as {function.__name__} returns: {error}") from None

    async def _exchange(self, header: Header, data: bytes) -> bytes:
        for _ in range(_STARTS):
            template = await self._living_template()
            if answer := await template.exchange(header, data):
                return answer
            if not template.ended():
                raise OverLimitError("its process ended without an answer")
        raise RuntimeError(f"the sandbox ends before it runs {header.function}: its own words are in the log")

    async def _living_template(self) -> "_Template":
        async with self._starting:
            if self._template is not None and self._template.ended():
                log.error("the sandbox is started again", status=await self._template.close())
                self._template = None
            if self._template is None:
                modules = sorted({function.__module__ for function in self._codecs})
                self._template = await _Template.start(modules)
            return self._template


class _Template:
    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        self._process = process
        self._control = control

    @classmethod
    async def start(cls, modules: list[str]) -> Self:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with contextlib.ExitStack() as unless_started, theirs:
            unless_started.push(ours)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "orchestrator.lib.sandbox.template", str(theirs.fileno()), *modules),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd=_ROOT,
                env=_ENVIRONMENT,
            )
            unless_started.pop_all()
        ours.setblocking(False)
        return cls(process, ours)

    def ended(self) -> bool:
        """Returns whether the process has closed its end; its exit status may come a moment later."""
        poll = select.poll()
        poll.register(self._control, select.POLLRDHUP)
        return bool(poll.poll(0))

    async def close(self) -> int:
        """Ends the process and all that it started, and returns its status."""
        self._control.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        return await self._process.wait()

    async def exchange(self, header: Header, data: bytes) -> bytes:
        """Has a copy of the process run a task, and returns its answer; empty if it ended without one."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        answer = bytearray()
        encoded = msgspec.msgpack.encode(header)
        with ours, contextlib.suppress(ConnectionError):  # to close it ends the task
            ours.setblocking(False)
            with theirs:
                socket.send_fds(self._control, [b"."], [theirs.fileno()])
            await loop.sock_sendall(ours, len(encoded).to_bytes(HEADER_SIZE) + encoded)
            await loop.sock_sendall(ours, data)
            while part := await loop.sock_recv(ours, _PART):
                answer += part
        return bytes(answer)

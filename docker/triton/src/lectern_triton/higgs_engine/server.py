"""The engine's side of the socket: loads a driver, then speaks many requests at a time."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, Final

from lectern_triton.higgs_engine import messages
from lectern_triton.higgs_engine.driver import BadRequest, Driver, Load, OutOfFrames

CLOSE_LIMIT: Final = 5.0  # seconds for the driver to free its resources
UNREAD: Final = 256 << 10  # bytes, 5 s of audio of all requests together: once so much is unread, speaking waits
LONGEST: Final = 2 * messages.RATE  # bytes of a message, a second of audio: requests take turns in between

Send = Callable[[messages.Event], Awaitable[None]]
"""Sends an event. Returns once there is room for more, so that no audio is made before the last is read."""

log = logging.getLogger(__name__)


class StartPhases:
    """Times the phases of a driver's start, which may be nested and in several threads."""

    def __init__(self, tell: Callable[[messages.Phase], None]) -> None:
        self._tell = tell
        self.failed = ""
        """The name of the innermost phase that failed."""

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        log.info("%s: begins", name)
        began = time.monotonic()
        try:
            yield
        except BaseException:
            self.failed = self.failed or name
            raise
        self._tell(messages.Phase(name, time.monotonic() - began))


class Server:
    """Serves one driver over the socket to its backend."""

    def __init__(self, load: Load, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._load = load
        self._reader = reader
        self._writer = writer
        self._driver: Driver | None = None
        self._running: dict[int, asyncio.Task[None]] = {}
        self._aborted = 0
        self._background: set[asyncio.Task[None]] = set()
        self._cannot_start = asyncio.Event()
        writer.transport.set_write_buffer_limits(high=UNREAD)

    async def run(self) -> None:
        """Serves until the backend closes the socket or learns that the driver cannot start."""
        ends = [asyncio.create_task(self._serve()), asyncio.create_task(self._cannot_start.wait())]
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in done:
                end.result()
        finally:
            for end in ends:
                end.cancel()
            await self._end()

    async def _serve(self) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):  # the backend has gone
            while not isinstance(command := await self._read_command(), messages.Close):
                self._execute(command)

    async def _read_command(self) -> messages.Command:
        length = messages.body_length(await self._reader.readexactly(messages.HEADER))
        return messages.decode_command(await self._reader.readexactly(length))

    def _execute(self, command: messages.Start | messages.Speak | messages.Abort | messages.CheckHealth) -> None:
        match command:
            case messages.Start(arguments):
                self._run_in_background(self._load_driver(arguments))
            case messages.Speak():
                self._speak(command)
            case messages.Abort(request):
                if (task := self._running.get(request)) is not None:  # otherwise it has just ended
                    task.cancel()
            case messages.CheckHealth():
                self._run_in_background(self._check_health())

    def _run_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _load_driver(self, arguments: dict[str, Any]) -> None:
        loop = asyncio.get_running_loop()

        def tell(phase: messages.Phase) -> None:
            loop.call_soon_threadsafe(self._write, phase)

        phases = StartPhases(tell)
        try:
            self._driver = await asyncio.to_thread(self._load, arguments, phases)
        except Exception as error:
            log.exception("the engine cannot start")
            where = f"{phases.failed}: " if phases.failed else ""
            await self._send(messages.CannotStart(f"{where}{type(error).__name__}: {error}"))
            self._cannot_start.set()
        else:
            await self._send(self._driver.ready)

    def _speak(self, request: messages.Speak) -> None:
        if self._driver is None or request.id in self._running:
            why = "the engine has not started" if self._driver is None else "this number is taken"
            self._write(messages.Failed(id=request.id, kind="failed", message=why))
            return
        task = asyncio.create_task(speak(self._driver, request, self._send), name=f"speak {request.id}")
        self._running[request.id] = task
        task.add_done_callback(lambda done: self._ended(request.id, done))

    def _ended(self, request: int, task: asyncio.Task[None]) -> None:
        """Called for every task, also for one that was cancelled before its first step."""
        del self._running[request]
        if task.cancelled():
            self._aborted += 1
            self._write(messages.Failed(id=request, kind="aborted", message=""))
        elif (error := task.exception()) is not None and not isinstance(error, ConnectionError):
            log.error("a request could not be answered", exc_info=error)

    async def _check_health(self) -> None:
        trouble = ""
        try:
            if self._driver is not None:
                await self._driver.check()
        except Exception as error:
            log.exception("the engine is in trouble")
            trouble = f"{type(error).__name__}: {error}"
        await self._send(messages.Health(trouble=trouble, running=len(self._running), aborted=self._aborted))

    def _write(self, event: messages.Event) -> None:
        if not self._writer.is_closing():
            self._writer.write(messages.encode(event))

    async def _send(self, event: messages.Event) -> None:
        self._write(event)
        await self._writer.drain()

    async def _end(self) -> None:
        """Cancels all tasks, then closes the driver: what it holds may need to be freed in order."""
        tasks = [*self._running.values(), *self._background]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._driver is not None:
            async with asyncio.timeout(CLOSE_LIMIT):
                await self._driver.close()
        self._writer.close()


async def speak(driver: Driver, request: messages.Speak, send: Send) -> None:
    """Speaks a request and sends its end, whatever that is. If it is cancelled, it sends none."""
    number = 0
    complete = True
    try:
        async with aclosing(driver.speak(request)) as audio:
            async for samples in audio:
                for part in _split(samples):
                    await send(messages.Audio(request.id, number, part))
                    number += 1
    except OutOfFrames:
        complete = False
    except BadRequest as error:
        await send(messages.Failed(id=request.id, kind="bad_request", message=str(error)))
        return
    except Exception as error:
        log.exception("a request could not be spoken")
        await send(messages.Failed(id=request.id, kind="failed", message=f"{type(error).__name__}: {error}"))
        return
    await send(messages.End(id=request.id, messages=number, complete=complete))


def _split(samples: bytes) -> Iterator[bytes]:
    for first in range(0, len(samples), LONGEST):
        yield samples[first : first + LONGEST]

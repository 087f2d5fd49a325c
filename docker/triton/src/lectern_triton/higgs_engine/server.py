"""The engine's side of the socket: loads a driver, then speaks what is ordered, many requests at a time."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import Any, Final

from lectern_triton.higgs_engine import wire
from lectern_triton.higgs_engine.driver import Driver, Load
from lectern_triton.higgs_engine.phases import Phases
from lectern_triton.higgs_engine.work import speak

CLOSE_LIMIT: Final = 5.0  # seconds for the driver to free what it holds
UNREAD: Final = 256 << 10  # bytes that wait to be read; beyond, speaking waits: 5 s of audio, of all requests together

log = logging.getLogger(__name__)


class Server:
    """One driver and the socket to its backend."""

    def __init__(self, load: Load, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._load = load
        self._reader = reader
        self._writer = writer
        self._driver: Driver | None = None
        self._running: dict[int, asyncio.Task[None]] = {}
        self._aborted = 0
        self._others: set[asyncio.Task[None]] = set()
        self._cannot_start = asyncio.Event()
        writer.transport.set_write_buffer_limits(high=UNREAD)

    async def run(self) -> None:
        """Serve until the backend closes or goes away, or has been told that the driver cannot start."""
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
            while not isinstance(order := await self._order(), wire.Close):
                self._obey(order)

    async def _order(self) -> wire.Order:
        length = wire.length_of(await self._reader.readexactly(wire.HEAD))
        return wire.order(await self._reader.readexactly(length))

    def _obey(self, order: wire.Start | wire.Speak | wire.Abort | wire.Ask) -> None:
        match order:
            case wire.Start(arguments):
                self._beside(self._begin(arguments))
            case wire.Speak():
                self._speak(order)
            case wire.Abort(request):
                if (task := self._running.get(request)) is not None:  # else it was just over
                    task.cancel()
            case wire.Ask():
                self._beside(self._examine())

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._others.add(task)
        task.add_done_callback(self._others.discard)

    async def _begin(self, arguments: dict[str, Any]) -> None:
        loop = asyncio.get_running_loop()

        def tell(phase: wire.Phase) -> None:
            loop.call_soon_threadsafe(self._write, phase)

        phases = Phases(tell)
        try:
            self._driver = await asyncio.to_thread(self._load, arguments, phases)
        except Exception as error:
            log.exception("the engine cannot start")
            where = f"{phases.failed}: " if phases.failed else ""
            await self._send(wire.CannotStart(f"{where}{type(error).__name__}: {error}"))
            self._cannot_start.set()
        else:
            await self._send(self._driver.ready)

    def _speak(self, request: wire.Speak) -> None:
        if self._driver is None or request.id in self._running:
            why = "the engine has not started" if self._driver is None else "this number is taken"
            self._write(wire.Failed(id=request.id, kind="failed", message=why))
            return
        task = asyncio.create_task(speak(self._driver, request, self._send), name=f"speak {request.id}")
        self._running[request.id] = task
        task.add_done_callback(lambda done: self._ended(request.id, done))

    def _ended(self, request: int, task: asyncio.Task[None]) -> None:
        """Also of a task that was cancelled before its first step."""
        del self._running[request]
        if task.cancelled():
            self._aborted += 1
            self._write(wire.Failed(id=request, kind="aborted", message=""))
        elif (error := task.exception()) is not None and not isinstance(error, ConnectionError):
            log.error("a request could not be answered", exc_info=error)

    async def _examine(self) -> None:
        trouble = ""
        try:
            if self._driver is not None:
                await self._driver.check()
        except Exception as error:
            log.exception("the engine is in trouble")
            trouble = f"{type(error).__name__}: {error}"
        await self._send(wire.Health(trouble=trouble, running=len(self._running), aborted=self._aborted))

    def _write(self, report: wire.Report) -> None:
        if not self._writer.is_closing():
            self._writer.write(wire.packed(report))

    async def _send(self, report: wire.Report) -> None:
        self._write(report)
        await self._writer.drain()

    async def _end(self) -> None:
        """Nobody listens any more; what the driver holds may need to be freed in order."""
        tasks = [*self._running.values(), *self._others]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._driver is not None:
            async with asyncio.timeout(CLOSE_LIMIT):
                await self._driver.close()
        self._writer.close()

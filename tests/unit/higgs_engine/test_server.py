"""The engine's side of the socket, with a driver that does as it is told."""

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

import pytest

from lectern_triton.higgs_engine import messages
from lectern_triton.higgs_engine.driver import BadRequest, OutOfFrames, Phase
from lectern_triton.higgs_engine.server import UNREAD, Server

LIMIT = 60.0  # seconds in which anything here must have happened
SECOND = bytes(2 * messages.RATE)

Tell = Callable[[messages.Speak], AsyncGenerator[bytes, None]]


class TellingDriver:
    """Yields what `tell` yields; `tell` may wait, or raise."""

    ready = messages.Ready(family="v2", version="1", streams=True, seeds=True)

    def __init__(self, tell: Tell) -> None:
        self.speak = tell
        self.trouble = ""
        self.closed = False

    async def check(self) -> None:
        if self.trouble:
            raise RuntimeError(self.trouble)

    async def close(self) -> None:
        self.closed = True


class Backend:
    """The other side of the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    def order(self, *orders: messages.Command) -> None:
        self.writer.write(b"".join(map(messages.encode, orders)))

    async def report(self) -> messages.Event:
        async with asyncio.timeout(LIMIT):
            length = messages.body_length(await self._reader.readexactly(messages.HEADER))
            return messages.decode_event(await self._reader.readexactly(length))

    async def reports(self, count: int) -> list[messages.Event]:
        return [await self.report() for _ in range(count)]


def speak(number: int = 0, text: str = "Hello.") -> messages.Speak:
    sampling = messages.Sampling(temperature=1, top_p=1, top_k=1, seed=1)
    return messages.Speak(id=number, text=text, reference=messages.Recording(b"", ""), sampling=sampling, max_frames=10)


async def hello(_: messages.Speak) -> AsyncGenerator[bytes, None]:
    yield b"\1\0"
    yield b"\2\0"


async def never(_: messages.Speak) -> AsyncGenerator[bytes, None]:
    await asyncio.Event().wait()
    yield b""


Story = Callable[[Backend, TellingDriver], Awaitable[None]]


def tell(story: Story, driver_tells: Tell = hello, load: Any = None, *, started: bool = True) -> TellingDriver:
    """Runs a story beside the server, which must end with it."""
    driver = TellingDriver(driver_tells)

    async def whole() -> None:
        ours, theirs = socket.socketpair()
        backend = Backend(*await asyncio.open_unix_connection(sock=ours))
        server = Server(load or (lambda *_: driver), *await asyncio.open_unix_connection(sock=theirs))
        serving = asyncio.create_task(server.run())
        if started:
            backend.order(messages.Start({}))
            assert await backend.report() == driver.ready
        await story(backend, driver)
        backend.writer.close()
        await asyncio.wait_for(serving, LIMIT)

    asyncio.run(whole())
    return driver


def test_audio_comes_in_order_with_numbers_and_an_end() -> None:
    async def story(backend: Backend, _: TellingDriver) -> None:
        backend.order(speak(7))
        assert await backend.reports(3) == [
            messages.Audio(7, 0, b"\1\0"),
            messages.Audio(7, 1, b"\2\0"),
            messages.End(id=7, messages=2, complete=True),
        ]

    assert tell(story).closed


def test_long_audio_is_cut_so_that_others_get_their_turn() -> None:
    async def long(_: messages.Speak) -> AsyncGenerator[bytes, None]:
        yield SECOND * 2 + b"\1\0"

    async def story(backend: Backend, _: TellingDriver) -> None:
        backend.order(speak())
        parts = await backend.reports(3)
        assert [len(part.samples) for part in parts if isinstance(part, messages.Audio)] == [48_000, 48_000, 2]
        assert await backend.report() == messages.End(id=0, messages=3, complete=True)

    tell(story, long)


@pytest.mark.parametrize(
    ("error", "last"),
    [
        (OutOfFrames(), messages.End(id=0, messages=1, complete=False)),
        (BadRequest("say more"), messages.Failed(id=0, kind="bad_request", message="say more")),
        (ValueError("no"), messages.Failed(id=0, kind="failed", message="ValueError: no")),
        (asyncio.CancelledError(), messages.Failed(id=0, kind="aborted", message="")),
    ],
)
def test_what_a_driver_raises_ends_its_request_alone(error: BaseException, last: messages.Event) -> None:
    async def raising(request: messages.Speak) -> AsyncGenerator[bytes, None]:
        yield b"\1\0"
        if not request.id:
            raise error

    async def story(backend: Backend, _: TellingDriver) -> None:
        backend.order(speak())
        assert await backend.reports(2) == [messages.Audio(0, 0, b"\1\0"), last]
        backend.order(speak(1))
        assert await backend.reports(2) == [
            messages.Audio(1, 0, b"\1\0"),
            messages.End(id=1, messages=1, complete=True),
        ]

    tell(story, raising)


def test_orders_are_taken_while_others_are_spoken() -> None:
    async def first_waits(request: messages.Speak) -> AsyncGenerator[bytes, None]:
        if request.id == 0:
            await asyncio.Event().wait()
        yield b"\1\0"

    async def story(backend: Backend, _: TellingDriver) -> None:
        backend.order(speak(0), speak(1), messages.CheckHealth())
        reports = await backend.reports(3)
        assert messages.End(id=1, messages=1, complete=True) in reports
        assert any(isinstance(report, messages.Health) and report.running >= 1 for report in reports)

    tell(story, first_waits)


def test_an_abort_closes_the_drivers_generator_and_is_answered() -> None:
    closed: list[int] = []

    async def waiting(request: messages.Speak) -> AsyncGenerator[bytes, None]:
        try:
            yield b"\1\0"
            await asyncio.Event().wait()
        finally:
            closed.append(request.id)

    async def story(backend: Backend, _: TellingDriver) -> None:
        backend.order(speak(0), speak(1))
        assert len(await backend.reports(2)) == 2
        backend.order(messages.Abort(0))
        assert await backend.report() == messages.Failed(id=0, kind="aborted", message="")
        assert closed == [0]
        backend.order(messages.CheckHealth())
        assert await backend.report() == messages.Health(running=1, aborted=1)

    tell(story, waiting)


def test_an_abort_that_comes_with_its_request_is_answered_too() -> None:
    async def story(backend: Backend, _: TellingDriver) -> None:
        backend.order(speak(3), messages.Abort(3))
        assert await backend.report() == messages.Failed(id=3, kind="aborted", message="")

    tell(story, never)


def test_an_abort_of_what_is_over_changes_nothing() -> None:
    async def story(backend: Backend, _: TellingDriver) -> None:
        backend.order(messages.Abort(9), speak(0))
        assert isinstance((await backend.reports(3))[-1], messages.End)
        backend.order(messages.Abort(0), messages.CheckHealth())
        assert await backend.report() == messages.Health()

    tell(story)


def test_what_is_not_read_is_not_made() -> None:
    made = 0

    async def endless(_: messages.Speak) -> AsyncGenerator[bytes, None]:
        nonlocal made
        while True:
            made += 1
            yield SECOND

    async def story(backend: Backend, _: TellingDriver) -> None:
        backend.order(speak())
        before = -1
        while made != before:  # until it waits
            before = made
            await asyncio.sleep(0.05)
        # Buffers of the system and of the reader here hold some more than the server's own.
        assert made * len(SECOND) < 8 * UNREAD
        backend.order(messages.Abort(0))
        while not isinstance(report := await backend.report(), messages.Failed):
            assert isinstance(report, messages.Audio)
        assert report.kind == "aborted"

    tell(story, endless)


def test_the_phases_of_the_start_are_told_and_orders_taken_meanwhile() -> None:
    go_on = threading.Event()

    def slow(_: Mapping[str, Any], phase: Phase) -> TellingDriver:
        with phase("imports"):
            pass
        with phase("weights"):
            assert go_on.wait(LIMIT)
        return TellingDriver(hello)

    async def story(backend: Backend, _: TellingDriver) -> None:
        backend.order(messages.Start({}))
        first = await backend.report()
        assert isinstance(first, messages.Phase)
        assert first.name == "imports"
        backend.order(messages.CheckHealth(), speak(5))
        assert await backend.reports(2) == [
            messages.Failed(id=5, kind="failed", message="the engine has not started"),
            messages.Health(),
        ]
        go_on.set()
        second, ready = await backend.reports(2)
        assert isinstance(second, messages.Phase)
        assert second.name == "weights"
        assert ready == TellingDriver.ready

    tell(story, load=slow, started=False)


def test_the_arguments_reach_the_driver() -> None:
    given: list[Mapping[str, Any]] = []

    def load(arguments: Mapping[str, Any], _: Phase) -> TellingDriver:
        given.append(arguments)
        return TellingDriver(hello)

    async def story(backend: Backend, _: TellingDriver) -> None:
        backend.order(messages.Start({"model": "weights", "stages": [{"dtype": "float32"}]}))
        await backend.report()

    tell(story, load=load, started=False)
    assert given == [{"model": "weights", "stages": [{"dtype": "float32"}]}]


def test_a_start_that_fails_says_in_which_phase() -> None:
    def failing(_: Mapping[str, Any], phase: Phase) -> TellingDriver:
        with phase("weights"), phase("codec"):
            raise FileNotFoundError("codec/model.safetensors")

    async def story(backend: Backend, _: TellingDriver) -> None:
        backend.order(messages.Start({}))
        assert await backend.report() == messages.CannotStart("codec: FileNotFoundError: codec/model.safetensors")

    tell(story, load=failing, started=False)


def test_trouble_is_told() -> None:
    async def story(backend: Backend, driver: TellingDriver) -> None:
        driver.trouble = "out of memory"
        backend.order(messages.CheckHealth())
        assert await backend.report() == messages.Health(trouble="RuntimeError: out of memory")

    tell(story)


@pytest.mark.parametrize("last", [messages.encode(messages.Close()), b"", b"\xff\xff\xff\xff", b"\0\0\0\1\xc1"])
def test_it_ends_when_the_backend_closes_goes_or_talks_nonsense(last: bytes) -> None:
    closed: list[int] = []

    async def waiting(request: messages.Speak) -> AsyncGenerator[bytes, None]:
        try:
            await asyncio.Event().wait()
            yield b""
        finally:
            closed.append(request.id)

    async def whole() -> None:
        ours, theirs = socket.socketpair()
        driver = TellingDriver(waiting)
        backend = Backend(*await asyncio.open_unix_connection(sock=ours))
        server = Server(lambda *_: driver, *await asyncio.open_unix_connection(sock=theirs))
        serving = asyncio.create_task(server.run())
        backend.order(messages.Start({}))
        await backend.report()
        backend.order(speak())
        backend.writer.write(last)
        if not last:
            backend.writer.close()
        await asyncio.wait([serving], timeout=LIMIT)
        assert serving.done()
        broken = last[:1] == b"\xff" or last.endswith(b"\xc1")
        assert isinstance(serving.exception(), messages.ProtocolError) == broken
        assert driver.closed
        assert closed in ([0], [])  # it may not have begun
        backend.writer.close()

    asyncio.run(whole())

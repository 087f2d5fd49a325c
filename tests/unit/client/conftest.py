from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lectern import AsyncClient, Client
from lectern.triton import AsyncTriton, Triton
from tests.unit.client.bodies import BLOCKS, DOCUMENTS, audio_path, block, document
from tests.unit.client.either import Asyncio, Either, Threads
from tests.unit.client.fake_server import Answer, FakeServer
from tests.unit.client.fake_triton import FakeTriton


@pytest.fixture(autouse=True)
def _no_stack_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LECTERN_URL", "LECTERN_API_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LECTERN_HOME", str(tmp_path / "home"))


@pytest.fixture
def fake() -> Iterator[FakeTriton]:
    triton = FakeTriton()
    yield triton
    triton.stop()


@pytest.fixture(params=["threads", "asyncio"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Either]]:
    """Makes a direct client of either kind."""
    with ExitStack() as stack:

        def connect(address: str, **options: Any) -> Either:
            if request.param == "threads":
                return stack.enter_context(Threads(Triton(address, **options)))
            return stack.enter_context(Asyncio(AsyncTriton(address, **options)))

        yield connect


@pytest.fixture
def triton(connect: Callable[..., Either], fake: FakeTriton) -> Either:
    return connect(fake.address)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


@pytest.fixture(params=["threads", "asyncio"])
def client(request: pytest.FixtureRequest, server: FakeServer) -> Iterator[Either]:
    """A REST client of either kind."""
    made: Either = (
        Threads(Client(server.url, api_key="secret", timeout=60.0))
        if request.param == "threads"
        else Asyncio(AsyncClient(server.url, api_key="secret", timeout=60.0))
    )
    with made:
        yield made


@pytest.fixture
def book(server: FakeServer) -> FakeServer:
    """A server with a document of seven blocks of 2 s and one that is not read."""
    blocks = [block(position) for position in range(BLOCKS)] + [block(BLOCKS, spoken="")]
    server.answer("POST", DOCUMENTS, Answer.json(document(status="queued"), 201))
    server.answer("GET", f"{DOCUMENTS}/d1", Answer.json(document(status="queued")), Answer.json(document()))
    server.answer("GET", f"{DOCUMENTS}/d1/blocks", Answer.json({"items": blocks, "next": None}))
    for position in range(BLOCKS):
        server.answer("HEAD", audio_path(position), Answer(headers={"x-lectern-seconds": "2.0"}))
    server.answer("GET", f"{DOCUMENTS}/d1/audio", Answer(body=b"OggS" * 100, framing="chunked"))
    return server

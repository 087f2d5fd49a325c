"""A client that leaves is no failure: one line with 499, no trace, and whatever worked for it stops."""

import asyncio
import logging
import socket
import struct
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from litestar import Litestar, Request, WebSocket, get, post, websocket
from litestar.datastructures import UploadFile
from litestar.params import JSONBody, MultipartBody
from litestar.response import Stream
from structlog.testing import capture_logs

from orchestrator.lib.errors.problem_details import answer_exception
from orchestrator.lib.errors.websocket import WebSocketProblems, note_problem
from orchestrator.lib.json_body import JsonRequest
from orchestrator.lib.settings import ServerSettings
from orchestrator.lib.streaming import begin, unless_client_leaves
from tests.unit.lib.wire_server import HANG, Server, served, wait

begun = threading.Event()
stopped = threading.Event()
HANDSHAKE = (
    b"Host: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def endless() -> None:
    begun.set()
    try:
        await asyncio.Event().wait()
    finally:
        stopped.set()


async def chunks() -> AsyncGenerator[bytes, None]:
    yield b"first"
    await endless()


@post("/json")
async def take_json(data: JSONBody[dict[str, Any]]) -> None: ...


@post("/form")
async def take_form(data: MultipartBody[UploadFile]) -> None: ...


@get("/work")
async def work(request: Request[Any, Any, Any]) -> None:
    await unless_client_leaves(request, endless())


@get("/stream")
async def stream(request: Request[Any, Any, Any]) -> Stream:
    return await begin(request, chunks(), "audio/ogg")


@get("/flood")
async def flood(request: Request[Any, Any, Any]) -> Stream:
    async def many() -> AsyncGenerator[bytes, None]:
        begun.set()
        try:
            while True:
                yield bytes(1 << 16)
        finally:
            stopped.set()

    return await begin(request, many(), "audio/ogg")


@websocket("/socket/{how:str}")
async def talk(socket: WebSocket[Any, Any, Any]) -> None:
    how = socket.path_params["how"]
    try:
        if how == "unaccepted":
            begun.set()
            while (await socket.receive())["type"] != "websocket.disconnect":
                pass
        await socket.accept()
        begun.set()
        while how == "sending":
            await socket.send_text("x" * 4_096)
            await asyncio.sleep(0)
        await socket.receive_text()
    finally:
        stopped.set()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    app = Litestar(
        [take_json, take_form, work, stream, flood, talk],
        exception_handlers={Exception: answer_exception},
        after_exception=[note_problem],
        request_class=JsonRequest,
        logging_config=None,
    )
    with served(WebSocketProblems(app), ServerSettings()) as running:
        yield running


REQUESTS = {
    "amid its JSON": b"POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
    "amid its upload": b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: 999\r\n\r\n--b\r\nContent-Disposition: form-data; name=data; filename=a\r\n\r\nhello",
    "amid its chunks": b"POST /json HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    "before the answer": b"GET /work HTTP/1.1\r\nHost: x\r\n\r\n",
    "amid a stream": b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n",
    "amid a stream that fills every buffer": b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n",
}
SOCKETS = {
    "before the handshake is answered": b"GET /socket/unaccepted HTTP/1.1\r\n" + HANDSHAKE,
    "while it is listened to": b"GET /socket/listening HTTP/1.1\r\n" + HANDSHAKE,
    "while it is sent to": b"GET /socket/sending HTTP/1.1\r\n" + HANDSHAKE,
}


@contextmanager
def leaving(server: Server, request: bytes, how: str) -> Iterator[list[Any]]:
    """Leaves once the application is at work; yields the lines that were logged until the server was done with it."""
    begun.clear()
    stopped.clear()
    with capture_logs() as lines:
        with server.wire() as one:
            one.sendall(request)
            if b"GET" in request:
                assert begun.wait(HANG)
            wait(lambda: server.connections == 1, "it did not connect")
            if how == "reset":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wait(lambda: any(line["event"] in ("request", "socket") for line in lines), "it was not noticed")
        wait(lambda: server.connections == 0, "the connection stays")
        yield lines


def failures(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


# Litestar closes the file of an upload only when the form is broken; the file's own end does it here.
@pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("how", ["closed", "reset"])
@pytest.mark.parametrize("when", REQUESTS)
def test_a_request_is_logged_as_499_without_a_trace(
    server: Server, caplog: pytest.LogCaptureFixture, when: str, how: str
) -> None:
    with leaving(server, REQUESTS[when], how) as lines:
        assert [(line["event"], line.get("status"), line["log_level"]) for line in lines] == [("request", 499, "info")]
        if b"GET" in REQUESTS[when]:
            assert stopped.wait(HANG)
    assert failures(caplog) == []


@pytest.mark.parametrize("how", ["closed", "reset"])
@pytest.mark.parametrize("when", SOCKETS)
def test_a_socket_is_logged_without_a_trace(
    server: Server, caplog: pytest.LogCaptureFixture, when: str, how: str
) -> None:
    with leaving(server, SOCKETS[when], how) as lines:
        assert stopped.wait(HANG)
        assert [(line["event"], line.get("code"), line["log_level"]) for line in lines] in (
            [("socket", 1005, "info")],
            [("socket", 1006, "info")],
        )
    assert failures(caplog) == []


def test_a_stream_that_the_stopping_server_ends_leaves_no_trace_either(caplog: pytest.LogCaptureFixture) -> None:
    app = Litestar([stream], logging_config=None)
    begun.clear()
    stopped.clear()
    with capture_logs() as lines, ExitStack() as open_longer:
        with served(app, ServerSettings()) as running:
            open_longer.enter_context(running.wire()).sendall(REQUESTS["amid a stream"])
            assert begun.wait(HANG)
        assert stopped.wait(HANG)
    assert [(line["event"], line["status"], line["log_level"]) for line in lines] == [("request", 599, "info")]
    assert [line for line in failures(caplog) if not line.startswith("Cancel 1 running task")] == []

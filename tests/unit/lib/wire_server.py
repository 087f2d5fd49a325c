"""A real server on a port of its own, in a thread, with Lectern's protocol and any app."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPResponse

import uvicorn
from litestar.types import ASGIApp

from orchestrator.lib.access_log import AccessLog
from orchestrator.lib.http_protocol import HttpProtocol, http_protocol
from orchestrator.lib.settings import ServerSettings

HANG = 60  # seconds; nothing takes as long


class Server:
    def __init__(self, port: int, server: uvicorn.Server) -> None:
        self.port = port
        self._server = server

    @property
    def connections(self) -> int:
        return len(self._server.server_state.connections)

    def connection(self) -> HttpProtocol:
        (one,) = self._server.server_state.connections
        assert isinstance(one, HttpProtocol)
        return one

    @contextmanager
    def wire(self) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=HANG) as one:
            yield one


def ask(one: socket.socket, request: bytes) -> HTTPResponse:
    one.sendall(request)
    return answer(one)


def answer(one: socket.socket) -> HTTPResponse:
    response = HTTPResponse(one)
    response.begin()
    return response


def rest(one: socket.socket) -> bytes:
    received = b""
    with suppress(ConnectionError):
        while part := one.recv(65_536):
            received += part
    return received


def wait(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


@contextmanager
def served(app: ASGIApp, settings: ServerSettings) -> Iterator[Server]:
    config = uvicorn.Config(
        AccessLog(app),
        http=http_protocol(settings),
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            wait(lambda: server.started, "the server did not start")
            yield Server(listener.getsockname()[1], server)
        finally:
            server.should_exit = True
            thread.join(HANG)

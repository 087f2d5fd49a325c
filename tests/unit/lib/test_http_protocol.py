"""The limits of a connection, asked over real sockets of a real server with an app of its own.

What a connection may carry is tested in tests/integration/test_http_connections.py.
"""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPResponse

import pytest
from litestar.types import Receive, Scope, Send
from structlog.testing import capture_logs

from orchestrator.lib.settings import ServerSettings
from tests.unit.lib.wire_server import HANG, Server, answer, ask, rest, wait
from tests.unit.lib.wire_server import served as served_app

FLOOD = 256 << 20  # bytes


class App:
    """Answers /echo with the body, /hold once it is released, /flood with far more than anybody buffers."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.begun = threading.Event()
        self.left = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.set()
        if scope["path"] == "/flood":
            await self._flood(send)
            return
        body = b""
        while scope["path"] != "/at-once":
            event = await receive()
            if event["type"] == "http.disconnect":
                self.left.set()
                return
            body += event["body"]  # type: ignore[typeddict-item]
            if not event["more_body"]:  # type: ignore[typeddict-item]
                break
        if scope["path"] == "/hold":
            await asyncio.to_thread(self.release.wait)
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _flood(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(FLOOD // 65_536):
            await send({"type": "http.response.body", "body": bytes(65_536), "more_body": True})


class Served(Server):
    app: App


@contextmanager
def served(**limits: float) -> Iterator[Served]:
    app = App()
    with served_app(app, ServerSettings(**limits)) as server:  # type: ignore[arg-type]
        try:
            one = Served(server.port, server._server)
            one.app = app
            yield one
        finally:
            app.release.set()


def problem(response: HTTPResponse) -> tuple[int, str]:
    body = json.loads(response.read())
    assert body["status"] == response.status
    return response.status, body["detail"]


@pytest.mark.parametrize("begin", [b"G", b"GET /ech", b"GET /echo HTTP/1.1\r\nHost: x\r\nX-Lo"])
def test_a_head_that_is_never_complete_is_answered_with_408(begin: bytes) -> None:
    with served(request_seconds=0.3) as server, server.wire() as one:
        response = ask(one, begin)
        status, detail = problem(response)
        assert (status, detail) == (408, "The headers were not complete within 0.3 seconds. Send them faster.")
        assert response.getheader("connection") == "close"
        assert rest(one) == b""


def test_a_head_that_goes_on_byte_by_byte_is_answered_with_408_too() -> None:
    stop = threading.Event()
    with served(request_seconds=0.3) as server, server.wire() as one:
        one.sendall(b"GET /echo HTTP/1.1\r\nX-Long: ")

        def drip() -> None:
            with suppress(OSError):
                while not stop.wait(0.02):
                    one.sendall(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        assert problem(answer(one))[0] == 408
        stop.set()
        dripping.join()


def test_a_connection_that_says_nothing_is_closed_without_a_word() -> None:
    with served(request_seconds=0.3) as server, server.wire() as silent, server.wire() as blank:
        blank.sendall(b"\r\n")
        assert rest(silent) == rest(blank) == b""


def test_a_body_that_comes_too_slowly_is_answered_with_408_and_logged_once() -> None:
    limits = {"request_seconds": 0.3, "min_body_rate": 1_000_000}
    with capture_logs() as lines, served(**limits) as server, server.wire() as one:
        one.sendall(b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhello")
        response = answer(one)
        assert response.status == 408
        assert json.loads(response.read())["error"]["code"] == "request_timeout"
        assert server.app.left.wait(HANG), "the app still waits for the body"
        assert rest(one) == b""
    assert [(line["path"], line["status"]) for line in lines] == [("/v1/echo", 408)]
    assert lines[0]["log_level"] == "info"


def test_the_time_of_a_slow_app_is_not_its_client_s() -> None:
    with served(request_seconds=0.2) as server, server.wire() as one:
        one.sendall(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\nGET /ec")
        assert server.app.begun.wait(HANG)
        connection = server.connection()
        wait(lambda: connection._clock._awaited == (2, "head"), "the second request has not begun")
        began = connection._clock._since
        wait(lambda: connection._clock._since > began, "the clock was not started anew")
        server.app.release.set()
        assert answer(one).status == 200
        response = ask(one, b"ho HTTP/1.1\r\nHost: x\r\n\r\n")
        assert response.status == 200


def test_a_body_that_goes_on_after_its_answer_is_not_answered_twice() -> None:
    with served(request_seconds=0.3) as server, server.wire() as one:
        one.sendall(b"POST /at-once HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhello")
        received = rest(one)
        assert received.count(b"HTTP/1.1") == 1
        assert received.startswith(b"HTTP/1.1 200")


def test_connections_beyond_the_limit_are_answered_with_503() -> None:
    with capture_logs() as lines, served(max_connections=3) as server, ExitStack() as opened:
        for _ in range(3):
            opened.enter_context(server.wire()).sendall(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
        wait(lambda: server.connections == 3, "not all are connected")
        with server.wire() as one:
            response = answer(one)
            assert response.getheader("retry-after") == "1"
            assert problem(response)[0] == 503
        server.app.release.set()
    assert [line["status"] for line in lines if line["event"] == "request refused"] == [503]


def test_far_more_connections_are_not_even_answered() -> None:
    with served(max_connections=1) as server, server.wire() as held:
        held.sendall(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
        assert server.app.begun.wait(HANG)
        with server.wire() as second, server.wire() as third:
            assert {rest(second)[:12], rest(third)[:12]} == {b"HTTP/1.1 503", b""}


def test_idle_connections_make_room() -> None:
    with served(max_connections=2) as server, server.wire() as idle, server.wire() as held:
        assert ask(idle, b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n").status == 200
        held.sendall(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
        with server.wire() as another:
            assert ask(another, b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n").status == 200
            assert rest(idle) == b""
        server.app.release.set()
        assert answer(held).status == 200


def test_an_answer_that_is_not_read_is_broken_off() -> None:
    with capture_logs() as lines, served(stalled_seconds=0.3) as server, server.wire() as one:
        one.sendall(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
        assert server.app.begun.wait(HANG)
        wait(lambda: server.connections == 0, "the connection stays")
        assert len(rest(one)) < FLOOD
    assert [line["status"] for line in lines] == [499]


def test_what_is_sent_ahead_waits_outside_the_parser() -> None:
    """Else each of its requests, of 20 bytes, would take kilobytes."""
    with served() as server, server.wire() as one:
        one.sendall(b"GET /hold HTTP/1.1\r\n\r\n")
        assert server.app.begun.wait(HANG)
        one.sendall(b"GET /echo HTTP/1.1\r\n\r\n" * 10_000)
        connection = server.connection()
        wait(lambda: connection.pipeline, "nothing was sent ahead")
        assert len(connection.pipeline) < 1_000
        server.app.release.set()
        pending = one.makefile("rb")
        for _ in range(10_001):
            assert pending.readline() == b"HTTP/1.1 200 OK\r\n"
            while pending.readline() != b"\r\n":
                pass

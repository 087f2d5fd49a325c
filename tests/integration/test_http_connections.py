"""What a connection may carry besides plain requests, and what the server process allows it.

The limits themselves are tested in tests/unit/lib/test_http_protocol.py.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPResponse
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

from tests.integration.listening import wait
from tests.integration.servers import web_server
from tests.stack import Stack

H2C = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"
TEXT = json.dumps({"input": "Hello.", "voice": "en-us", "response_format": "pcm"}).encode()
LIMIT = 65_536


class Wire:
    def __init__(self, stack: Stack, connected: socket.socket) -> None:
        self.key = stack.api_key
        self.socket = connected

    def send(self, head: str, body: bytes = b"") -> None:
        host = f"Host: lectern\r\nAuthorization: Bearer {self.key}\r\n"
        self.socket.sendall(f"{head}{host}\r\n".encode() + body)

    def answer(self, method: str = "GET") -> HTTPResponse:
        response = HTTPResponse(self.socket, method=method)
        response.begin()
        return response

    def read(self) -> tuple[int, bytes]:
        response = self.answer()
        return response.status, response.read()

    def ended(self) -> bool:
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:  # the server has not read all that was sent
            return True


@contextmanager
def wire(stack: Stack, url: str | None = None) -> Iterator[Wire]:
    place = urlsplit(url or stack.url)
    with socket.create_connection((place.hostname, place.port), timeout=30) as connected:
        yield Wire(stack, connected)


def length(body: bytes) -> str:
    return f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"


def chunks(body: bytes, size: int = 7) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def framed(framing: str) -> tuple[str, bytes]:
    if framing == "length":
        return length(TEXT), TEXT
    return "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", chunks(TEXT)


@pytest.mark.parametrize("sent", ["at once", "in pieces"])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_comes_with_an_upgrade_that_nobody_takes(stack: Stack, framing: str, sent: str) -> None:
    headers, body = framed(framing)
    with wire(stack) as client:
        for _ in range(3):  # on the same connection
            if sent == "at once":
                client.send(f"POST /v1/audio/speech HTTP/1.1\r\n{H2C}{headers}", body)
            else:
                client.send(f"POST /v1/audio/speech HTTP/1.1\r\n{H2C}{headers}")
                for byte in body:
                    client.socket.sendall(bytes([byte]))
            status, audio = client.read()
            assert status == 200
            assert len(audio) > 10_000
        client.send("GET /healthz HTTP/1.1\r\n")
        assert client.read()[0] == 200


@pytest.mark.parametrize("offer", ["h2c", "foo/2", "h2c, websocket", "TLS/1.0"])
def test_any_upgrade_is_ignored(stack: Stack, offer: str) -> None:
    with wire(stack) as client:
        client.send(
            f"POST /v1/audio/speech HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: {offer}\r\n{length(TEXT)}", TEXT
        )
        assert client.read()[0] == 200
        client.send(f"GET /healthz HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: {offer}\r\n")
        assert client.read()[0] == 200


@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_handshake_with_a_body_is_none(stack: Stack, method: str, framing: str) -> None:
    headers, body = framed(framing)
    handshake = (
        "Connection: upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    )
    with wire(stack) as client:
        client.send(f"{method} /healthz HTTP/1.1\r\n{handshake}{headers}", body)
        assert client.read()[0] == (200 if method == "GET" else 405)
        client.send("GET /healthz HTTP/1.1\r\n")
        assert client.read()[0] == 200


def test_who_expects_100_continue_gets_it_with_an_upgrade_too(stack: Stack) -> None:
    with wire(stack) as client:
        client.send(f"POST /v1/audio/speech HTTP/1.1\r\n{H2C}Expect: 100-continue\r\n{length(TEXT)}")
        assert client.socket.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.socket.sendall(TEXT)
        assert client.read()[0] == 200


def test_requests_that_are_sent_ahead_are_all_answered(stack: Stack) -> None:
    one = f"GET /healthz HTTP/1.1\r\n{H2C}Host: lectern\r\n\r\n".encode()
    with wire(stack) as client:
        client.socket.sendall(one * 50)
        pending = client.socket.makefile("rb")
        for _ in range(50):
            assert pending.readline() == b"HTTP/1.1 200 OK\r\n"
            size = 0
            while (line := pending.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            assert len(pending.read(size)) == size


def endless(kind: str) -> Iterator[bytes]:
    begin = {
        "header": b"GET /healthz HTTP/1.1\r\nHost: lectern\r\nX-Long: ",
        "name": b"GET /healthz HTTP/1.1\r\nHost: lectern\r\nX-",
        "headers": b"GET /healthz HTTP/1.1\r\nHost: lectern\r\n",
        "request line": b"GET /",
        "trailer": b"POST /healthz HTTP/1.1\r\nHost: lectern\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Long: ",
        "upgrade": f"GET /healthz HTTP/1.1\r\nHost: lectern\r\n{H2C}X-Long: ".encode(),
    }
    yield begin[kind]
    more = b"x: y\r\n" * 10_000 if kind == "headers" else b"x" * 60_000
    for _ in range(2_000):
        yield more


@pytest.mark.parametrize("kind", ["header", "name", "headers", "request line", "upgrade"])
def test_headers_without_end_are_cut_off(stack: Stack, kind: str) -> None:
    sent = 0
    with wire(stack) as client:
        with suppress(ConnectionResetError, BrokenPipeError):
            for part in endless(kind):
                client.socket.sendall(part)
                sent += len(part)
        answer = client.answer()
        assert answer.status == 431
        assert answer.getheader("content-type") == "application/problem+json"
        problem = json.loads(answer.read())
        assert problem["title"] == "Headers too large"
        assert str(LIMIT) in problem["detail"]
        assert client.ended()
    assert sent < 16 << 20, "what was in flight, not all of the 120 MB"


def test_a_trailer_without_end_is_cut_off(stack: Stack) -> None:
    sent = 0
    with wire(stack) as client, suppress(ConnectionResetError, BrokenPipeError):
        for part in endless("trailer"):
            client.socket.sendall(part)
            sent += len(part)
    assert sent < 16 << 20


@pytest.mark.parametrize(("size", "status"), [(60_000, 200), (66_000, 431)])
@pytest.mark.parametrize("kind", ["many", "one"])
def test_the_limit_is_of_all_headers_together(stack: Stack, kind: str, size: int, status: int) -> None:
    headers = "".join(f"x-{n:06}: y\r\n" for n in range(size // 13)) if kind == "many" else f"x-long: {'y' * size}\r\n"
    with wire(stack) as client:
        client.send(f"GET /healthz HTTP/1.1\r\n{headers}")
        assert client.read()[0] == status


def test_openai_clients_are_told_in_their_shape(stack: Stack) -> None:
    with wire(stack) as client:
        client.send(f"POST /v1/audio/speech HTTP/1.1\r\nx-long: {'y' * 70_000}\r\n")
        status, body = client.read()
    assert status == 431
    assert json.loads(body)["error"]["code"] == "headers_too_large"


def test_what_is_no_http_is_told(stack: Stack) -> None:
    with wire(stack) as client:
        client.socket.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        answer = client.answer()
        assert answer.status == 400
        assert json.loads(answer.read())["title"] == "Bad request"
        assert client.ended()


def test_a_body_in_very_small_chunks_is_taken(stack: Stack) -> None:
    text = json.dumps({"input": "Hello.", "voice": "en-us", "response_format": "pcm", "instructions": ""}).encode()
    padded = text + b" " * 100_000
    with wire(stack) as client:
        client.send(
            "POST /v1/audio/speech HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
            chunks(padded, 1),
        )
        assert client.read()[0] == 200


PAGE = "https://reader.example.com"
JSON = {"content-type": "application/json"}


class Strict(NamedTuple):
    url: str
    log: Path

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def strict(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strict]:
    """A server that has little patience and little room."""
    log = tmp_path_factory.mktemp("strict") / "web.log"
    limits = {"LECTERN_REQUEST_SECONDS": "3", "LECTERN_MIN_BODY_RATE": "1000000", "LECTERN_MAX_CONNECTIONS": "20"}
    with web_server(stack, log, **limits, LECTERN_CORS_ORIGINS=PAGE) as url:
        yield Strict(url, log)


@pytest.mark.parametrize(
    "begin", ["POST /v1/aud", f"POST /v1/audio/speech HTTP/1.1\r\n{H2C}", f"GET /healthz HTTP/1.1\r\n{H2C}X-Lo"]
)
def test_a_head_has_a_time_to_arrive(stack: Stack, strict: Strict, begin: str) -> None:
    with wire(stack, strict.url) as client:
        client.socket.sendall(begin.encode())
        assert client.read()[0] == 408
        assert client.ended()


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_has_a_least_rate(stack: Stack, strict: Strict, framing: str) -> None:
    headers, body = framed(framing)
    with wire(stack, strict.url) as client:
        client.send(f"POST /v1/audio/speech HTTP/1.1\r\n{H2C}{headers}", body[:20])
        status, answer = client.read()
        assert (status, json.loads(answer)["error"]["code"]) == (408, "request_timeout")
        assert client.ended()


def test_a_connection_that_says_nothing_ends(stack: Stack, strict: Strict) -> None:
    with wire(stack, strict.url) as client:
        assert client.ended()


def test_a_server_has_room_for_so_many_connections(stack: Stack, strict: Strict) -> None:
    with ExitStack() as opened:
        clients = [opened.enter_context(wire(stack, strict.url)) for _ in range(35)]
        for client in clients:
            with suppress(ConnectionError):
                client.socket.sendall(b"GET /")
        answers = [client.answer() for client in clients]
        assert {(answer.status, answer.getheader("retry-after")) for answer in answers} == {(408, None), (503, "1")}


def test_a_client_that_leaves_amid_its_upload_is_one_line_of_the_log(stack: Stack, strict: Strict) -> None:
    with wire(stack, strict.url) as client:
        client.send(f"POST /v1/audio/speech HTTP/1.1\r\nX-Request-ID: left-early\r\n{length(TEXT)}", TEXT[:5])
        client.socket.shutdown(socket.SHUT_RDWR)

    def lines() -> list[dict[str, object]]:
        return [line for line in strict.lines() if line.get("request_id") == "left-early"]

    wait(lambda: bool(lines()), "the request was not logged")
    assert [(line["event"], line["status"], line["level"]) for line in lines()] == [("request", 499, "info")]


def test_a_named_page_may_use_the_api_and_sees_what_it_needs(stack: Stack, strict: Strict) -> None:
    with httpx.Client(base_url=strict.url, trust_env=False, timeout=60) as page:
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        assert page.options("/v1/audio/speech", headers={"origin": PAGE, **asked}).status_code == 204
        authorization = {"authorization": f"Bearer {stack.api_key}", "origin": PAGE}
        answer = page.post("/v1/audio/speech", content=TEXT, headers={**authorization, **JSON})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == PAGE
        exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
        ours = {name for name in answer.headers if name.startswith("x-lectern-")}
        assert ours
        assert ours | {"x-request-id"} <= exposed
        assert answer.headers["x-content-type-options"] == "nosniff"

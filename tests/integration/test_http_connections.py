"""What a connection may carry besides plain requests: upgrades that nobody takes, and headers without end."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPResponse
from urllib.parse import urlsplit

import pytest

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
def wire(stack: Stack) -> Iterator[Wire]:
    place = urlsplit(stack.url)
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

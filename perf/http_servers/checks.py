"""What a server that faces strangers has to do, asked over raw sockets. Each check returns what it saw, or raises."""

import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final, NamedTuple

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from perf import memory

PATIENCE: Final = 8.0  # seconds; every server was told 2 where it can be told
BODY: Final = b"x" * 2_000
H2C: Final = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
HANDSHAKE: Final = (
    "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


class Failed(Exception):  # noqa: N818 - a finding
    """The server does not do it; the message says what it did."""


class Server(NamedTuple):
    port: int
    pid: int
    left_file: Path

    @contextmanager
    def wire(self) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as one:
            yield one

    def memory(self) -> int:
        return memory.resident(memory.tree(self.pid))

    def left(self) -> list[tuple[float, str]]:
        status, body = self.ask("/left")
        lines = [line.split(" ", 1) for line in body.decode().splitlines()]
        return [(float(at), what) for at, what in lines] if status == 200 else []

    def ask(self, path: str) -> tuple[int, bytes]:
        with self.wire() as one:
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            return read(one)


Check = Callable[[Server], str]


def read(one: socket.socket, method: str = "GET") -> tuple[int, bytes]:
    response = HTTPResponse(one, method=method)
    try:
        response.begin()
        return response.status, response.read()
    except TimeoutError:
        raise Failed("no answer") from None
    except (HTTPException, ConnectionError) as error:
        raise Failed(f"broken off: {type(error).__name__}") from None


def expect(condition: object, saw: object) -> None:
    if not condition:
        raise Failed(str(saw))


def upgrade_ignored(server: Server) -> str:
    chunked = b"7d0\r\n" + BODY + b"\r\n0\r\n\r\n"
    with server.wire() as one:
        for framing, body in ((f"Content-Length: {len(BODY)}", BODY), ("Transfer-Encoding: chunked", chunked)):
            one.sendall(f"POST /echo HTTP/1.1\r\nHost: x\r\n{H2C}{framing}\r\n\r\n".encode() + body)
            status, answer = read(one)
            expect((status, answer) == (200, BODY), f"{status}, {len(answer)} of {len(BODY)} bytes")
    return "body kept"


def handshake_with_body(server: Server) -> str:
    with server.wire() as one:
        one.sendall(f"POST /echo HTTP/1.1\r\nHost: x\r\n{HANDSHAKE}Content-Length: 5\r\n\r\nhello".encode())
        status, _ = read(one)
    expect(status in (200, 400, 405, 426), status)
    return str(status)


def _endless(server: Server, begin: bytes, more: bytes) -> str:
    sent = 0
    with server.wire() as one:
        one.sendall(begin)
        with suppress(ConnectionError, TimeoutError):
            for _ in range(32 * (1 << 20) // len(more)):
                one.sendall(more)
                sent += len(more)
        status, _ = read(one)
    expect(status in (400, 414, 431), status)
    expect(sent < 24 << 20, f"{status} after {sent >> 20} MiB")
    if status == 400:
        raise Failed("400")
    return str(status)


def endless_header(server: Server) -> str:
    return _endless(server, b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", b"x" * 50_000)


def endless_headers(server: Server) -> str:
    return _endless(server, b"GET / HTTP/1.1\r\nHost: x\r\n", b"x: y\r\n" * 5_000)


def endless_line(server: Server) -> str:
    return _endless(server, b"GET /", b"x" * 50_000)


def endless_in_slices(server: Server) -> str:
    return _endless(server, b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", b"x" * 700)


def large_head(server: Server) -> str:
    with server.wire() as one:
        one.sendall(f"GET / HTTP/1.1\r\nHost: x\r\nX-Long: {'y' * 60_000}\r\n\r\n".encode())
        status, _ = read(one)
    expect(status == 200, status)
    return "200"


def _closes(server: Server, begin: bytes, drip: bytes) -> str:
    """Expects an end within `PATIENCE` seconds, while one byte comes every quarter of a second."""
    start = time.monotonic()
    with server.wire() as one:
        one.sendall(begin)
        one.settimeout(0.25)
        answer = b""
        while time.monotonic() < start + PATIENCE:
            try:
                if drip:
                    one.sendall(drip)
                part = one.recv(4096)
            except TimeoutError:
                continue
            except ConnectionError:
                part = b""
            if not part:
                status = answer.split(b" ")[1].decode() if answer else "closed"
                return f"{status}, {time.monotonic() - start:.1f} s"
            answer += part
    raise Failed(f"open after {PATIENCE:.0f} s")


def dripped_line(server: Server) -> str:
    return _closes(server, b"GET /", b"x")


def dripped_headers(server: Server) -> str:
    return _closes(server, b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", b"x")


def dripped_body(server: Server) -> str:
    return _closes(server, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", b"x")


def says_nothing(server: Server) -> str:
    return _closes(server, b"", b"")


def idle_after_answer(server: Server) -> str:
    return _closes(server, b"GET /left HTTP/1.1\r\nHost: x\r\n\r\n", b"")


def connections(server: Server) -> str:
    """200 connections of which each has begun a request: one more is told so, where the limit is 100."""
    opened = []
    try:
        for _ in range(200):
            one = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
            opened.append(one)
            with suppress(ConnectionError):
                one.sendall(b"GET /silent HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.5)
        with server.wire() as last:
            last.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            status, _ = read(last)
        expect(status == 503, status)
    finally:
        for one in opened:
            one.close()
    return "503"


def pipelined(server: Server) -> str:
    with server.wire() as one:
        one.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
        with one.makefile("rb") as pending:
            for number in range(50):
                expect(pending.readline().startswith(b"HTTP/1.1 200 "), f"{number} of 50")
                while pending.readline() != b"\r\n":
                    pass
                while size := int(pending.readline(), 16):
                    pending.read(size + 2)
                pending.readline()
    return "all 50"


def _told(server: Server, what: tuple[str, ...], since: float) -> str:
    while time.monotonic() < since + PATIENCE:
        if found := [at for at, one in server.left() if one in what and at > since]:
            return f"{1000 * (found[0] - since):.0f} ms"
        time.sleep(0.05)
    raise Failed("the app is not told")


def _leaves(server: Server, request: bytes, what: str, *, reset: bool) -> str:
    with server.wire() as one:
        one.sendall(request)
        time.sleep(0.4)
        if reset:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        left_at = time.monotonic()
    return _told(server, (what,), left_at)


def leaves_a_stream(server: Server) -> str:
    return _leaves(server, b"GET /forever HTTP/1.1\r\nHost: x\r\n\r\n", "stream", reset=False)


def leaves_before_the_answer(server: Server) -> str:
    return _leaves(server, b"GET /silent HTTP/1.1\r\nHost: x\r\n\r\n", "silent", reset=False)


def leaves_an_upload(server: Server) -> str:
    request = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhello"
    return _leaves(server, request, "echo", reset=True)


def _breaks(server: Server, path: str) -> str:
    with server.wire() as one:
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        received = b""
        try:
            while part := one.recv(65_536):
                received += part
        except TimeoutError:
            raise Failed("stays open") from None
        except ConnectionError:
            pass
    expect(not received.endswith(b"0\r\n\r\n"), "ends as if it were whole")
    return "broken off"


def breaks_chunks(server: Server) -> str:
    return _breaks(server, "/broken")


def breaks_length(server: Server) -> str:
    return _breaks(server, "/short")


def _refused(server: Server, headers: str, body: bytes) -> str:
    """A request that two parties may understand differently is refused, and what follows is not taken for a request."""
    with server.wire() as one:
        one.sendall(f"POST /echo HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n".encode() + body)
        received = b""
        with suppress(TimeoutError, ConnectionError):
            one.settimeout(2)
            while part := one.recv(65_536):
                received += part
    answers: list[str] = [status.decode() for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]
    expect(answers in (["400"], ["501"]), ", ".join(answers) or "no answer")
    return answers[0]


SMUGGLED: Final = b"0\r\n\r\nGET /left HTTP/1.1\r\nHost: x\r\n\r\n"


def two_framings(server: Server) -> str:
    return _refused(server, "Content-Length: 6\r\nTransfer-Encoding: chunked", SMUGGLED)


def two_lengths(server: Server) -> str:
    return _refused(server, "Content-Length: 6\r\nContent-Length: 5", b"hello!")


def two_codings(server: Server) -> str:
    return _refused(server, "Transfer-Encoding: chunked, identity", SMUGGLED)


def blank_before_colon(server: Server) -> str:
    return _refused(server, "Content-Length : 5", b"hello")


def slow_reader(server: Server) -> str:
    before = server.memory()
    most = before
    with server.wire() as one:
        one.sendall(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
        end = time.monotonic() + 3
        while time.monotonic() < end:
            most = max(most, server.memory())
            time.sleep(0.1)
    expect(most - before < 32 << 20, f"grows by {(most - before) >> 20} MiB")
    return f"+{(most - before) >> 20} MiB"


def socket_limits(server: Server) -> str:
    with _socket(server) as one:
        one.send("hello")
        expect(one.recv() == "hello", "no echo")
        expect(one.subprotocol == "lectern", f"subprotocol {one.subprotocol}")
        code, _ = _closed(one, "x" * 5_000)
    expect(code == 1009, f"a message beyond the limit: {code}")
    return "1009"


def socket_close_codes(server: Server) -> str:
    with _socket(server) as one:
        code, reason = _closed(one, "close")
    expect((code, reason) == (4409, "Conflict - as asked"), f"{code} {reason}")
    with _socket(server) as one:
        start = time.monotonic()
        one.close(4001)
    _told(server, ("socket 4001",), start)
    with _socket(server) as one:
        start = time.monotonic()
        one.socket.shutdown(socket.SHUT_RDWR)
        _told(server, ("socket 1005", "socket 1006"), start)
    return "4409, 4001, lost"


def _socket(server: Server) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{server.port}/", subprotocols=["lectern"], proxy=None)  # type: ignore[list-item]


def _closed(one: ClientConnection, message: str) -> tuple[int | None, str]:
    try:
        one.send(message)
        one.recv(timeout=PATIENCE)
    except ConnectionClosed as closed:
        return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (None, "")
    except TimeoutError:
        return None, "open"
    return None, "an answer"


def drains(server: Server) -> str:
    """An answer of two seconds ends whole after SIGTERM; one without end is cancelled, and cleans up."""
    server.left_file.write_text("")
    with server.wire() as idle, server.wire() as whole, server.wire() as endless:
        whole.sendall(b"GET /two-seconds HTTP/1.1\r\nHost: x\r\n\r\n")
        endless.sendall(b"GET /forever HTTP/1.1\r\nHost: x\r\n\r\n")
        idle.sendall(b"GET /left HTTP/1.1\r\nHost: x\r\n\r\n")
        read(idle)
        time.sleep(0.3)
        os.kill(server.pid, signal.SIGTERM)
        start = time.monotonic()
        _, body = read(whole)
        expect(len(body) == 22_000, f"{len(body)} of 22000 bytes")
        with suppress(ConnectionError):
            while endless.recv(65_536):
                expect(time.monotonic() < start + PATIENCE, "the endless answer goes on")
    seconds = time.monotonic() - start
    end = time.monotonic() + PATIENCE
    while "stream" not in server.left_file.read_text():
        expect(time.monotonic() < end, "the endless answer did not clean up")
        time.sleep(0.05)
    return f"{seconds:.1f} s"


CHECKS: Final[dict[str, Check]] = {
    "an upgrade that nobody takes is ignored, the body kept": upgrade_ignored,
    "a WebSocket handshake with a body is answered": handshake_with_body,
    "a head of 60 KB is taken": large_head,
    "431 for an endless header": endless_header,
    "431 for headers without end": endless_headers,
    "431 or 414 for an endless request line": endless_line,
    "431 for an endless header in slices of 700 bytes": endless_in_slices,
    "a dripped request line ends": dripped_line,
    "dripped headers end": dripped_headers,
    "a dripped body ends": dripped_body,
    "a connection that says nothing ends": says_nothing,
    "an idle connection ends": idle_after_answer,
    "503 beyond a number of connections": connections,
    "requests that are sent ahead": pipelined,
    "the app is told of a client that leaves a stream": leaves_a_stream,
    "… before the answer": leaves_before_the_answer,
    "… amid its upload": leaves_an_upload,
    "an answer that fails is broken off: chunks": breaks_chunks,
    "… a declared length": breaks_length,
    "Content-Length with Transfer-Encoding is refused": two_framings,
    "two lengths are refused": two_lengths,
    "chunked that is not last is refused": two_codings,
    "a blank before the colon is refused": blank_before_colon,
    "who does not read holds no memory": slow_reader,
    "WebSocket: a message beyond the limit": socket_limits,
    "WebSocket: close codes, both ways, and a lost client": socket_close_codes,
    "SIGTERM: answers are finished, or cancelled in time": drains,
}


def run_all(server: Server) -> dict[str, str]:
    results = {}
    for name, check in CHECKS.items():
        try:
            results[name] = check(server)
        except Failed as failed:
            results[name] = f"NO: {failed}"
        except (OSError, ValueError, InvalidHandshake) as error:
            results[name] = f"NO: {error!r}"
    return results

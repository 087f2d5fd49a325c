"""Uvicorn's HTTP/1.1 with two gaps closed: upgrades that no route takes, and endless headers."""

from typing import Any, Final

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from orchestrator.lib.errors.problem_details import openai_error, summary
from orchestrator.lib.errors.problems import BadRequest, HeadersTooLarge, Problem

_SLICE: Final = 16_384  # bytes that the parser gets at once; its progress is checked between two slices
_SEPARATORS: Final = 4  # bytes: a colon, a blank and the end of the line


class HttpProtocol(HttpToolsProtocol):
    max_head = 65_536
    """Bytes of the request line and all headers; also the limit between two chunks of a body and behind the last."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*arguments, **options)
        self._in_head = False
        self._head = 0  # bytes of the complete elements
        self._made_progress = False
        self._waiting = 0  # bytes since the parser last made progress
        self._refused: Problem | None = None

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        for start in range(0, len(data), _SLICE):
            part = data[start : start + _SLICE]
            while part and self._refused is None and self.transport.get_protocol() is self:
                part = self._feed(part)
        if self._refused is not None and not self.transport.is_closing():
            self._answer(self._refused)

    def _feed(self, part: bytes) -> bytes:
        """Returns the bytes that are still to be fed, rewritten if need be."""
        self._made_progress = False
        try:
            self.parser.feed_data(part)
        except httptools.HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
                return b""
            if self._ignores_upgrade():
                return self._without_upgrade() + part[upgrade.args[0] :]
        except httptools.HttpParserError:
            self._refused = self._refused or BadRequest("This is no HTTP/1.1 request. Send one as RFC 9112 has it.")
            return b""
        self._waiting = 0 if self._made_progress else self._waiting + len(part)
        if self._waiting > self.max_head:
            self._refused = HeadersTooLarge(self._too_large())
        return b""

    def _ignores_upgrade(self) -> bool:
        """Returns whether to go on without the upgrade, as RFC 9110 says of an unknown one, such as Java's to h2c."""
        return self.parser.should_upgrade() and not self._should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _should_upgrade(self) -> bool:
        """A handshake has no body (RFC 6455, 4.1); a request with one would wait for an answer without end."""
        bodied = any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in self.headers
        )
        return super()._should_upgrade() and self.parser.get_method() == b"GET" and not bodied

    def _without_upgrade(self) -> bytes:
        """Returns the head for a new parser, as this one takes no body after a request for an upgrade."""
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s\r\n" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        return b"".join([*lines, b"\r\n"])

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._made_progress = self._in_head = True
        self._head = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(len(name) + len(value) + _SEPARATORS)

    def on_headers_complete(self) -> None:
        self._made_progress = True
        self._in_head = False
        if not self._ignores_upgrade():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._made_progress = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._made_progress = True
        if not self._ignores_upgrade():
            super().on_message_complete()

    def _count(self, more: int) -> None:
        self._head += more
        if self._head > self.max_head:
            self._refused = HeadersTooLarge(self._too_large())
            raise self._refused  # ends the parser's work

    def _too_large(self) -> str:
        return f"The headers are longer than {self.max_head} bytes. Send fewer or shorter ones."

    def _answer(self, problem: Problem) -> None:
        """Closes the connection; answers with the problem first if no earlier response is still open."""
        answers_earlier = self.cycle is not None and not self.cycle.response_complete and self._in_head
        begun = self.cycle is not None and not self.cycle.response_complete and self.cycle.response_started
        if not (answers_earlier or begun or self.pipeline):
            self.transport.write(self._response(problem))
        self.logger.warning("request refused: %s", problem.detail)
        self.transport.close()

    def _response(self, problem: Problem) -> bytes:
        openai = getattr(self, "url", b"").startswith(b"/v1/")
        body = msgspec.json.encode({"error": openai_error(problem)} if openai else summary(problem))
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json" if openai else b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        lines = [b"%s: %s\r\n" % header for header in headers]
        return b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", body])


def http_protocol(max_head: int) -> type[HttpProtocol]:
    """Returns a class with this limit in bytes, as uvicorn makes the instances itself."""
    return type("HttpProtocol", (HttpProtocol,), {"max_head": max_head})

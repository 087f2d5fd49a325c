"""HTTP/1.1 as uvicorn speaks it, with two gaps closed: upgrades that nobody takes, and headers without end."""

from typing import Any, Final

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from orchestrator.lib.errors.problem_details import openai_error, summary
from orchestrator.lib.errors.problems import BadRequest, HeadersTooLarge, Problem

_SLICE: Final = 16_384  # bytes that the parser is given at once: between two slices it is seen whether it gets on
_SEPARATORS: Final = 4  # bytes: a colon, a blank and the end of the line


class HttpProtocol(HttpToolsProtocol):
    max_head = 65_536
    """Bytes of the request line and all headers; as many may stand between two parts of a body, or behind the last."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*arguments, **options)
        self._in_head = False
        self._head = 0  # bytes of the parts that are complete
        self._gets_on = False
        self._waiting = 0  # bytes since the parser last got on
        self._refused: Problem | None = None

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        for start in range(0, len(data), _SLICE):
            part = data[start : start + _SLICE]
            while part and self._refused is None and self.transport.get_protocol() is self:
                part = self._fed(part)
        if self._refused is not None and not self.transport.is_closing():
            self._answer(self._refused)

    def _fed(self, part: bytes) -> bytes:
        """Return what of it is still to be fed, as it is to be read."""
        self._gets_on = False
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
        self._waiting = 0 if self._gets_on else self._waiting + len(part)
        if self._waiting > self.max_head:
            self._refused = HeadersTooLarge(self._too_large())
        return b""

    def _ignores_upgrade(self) -> bool:
        """As RFC 9110 has it of an upgrade that a server does not know, such as Java's to h2c: the request stands."""
        return self.parser.should_upgrade() and not self._should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _should_upgrade(self) -> bool:
        """A handshake has no body (RFC 6455, 4.1); a request with one would wait for an answer without end."""
        bodied = any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in self.headers
        )
        return super()._should_upgrade() and self.parser.get_method() == b"GET" and not bodied

    def _without_upgrade(self) -> bytes:
        """Return the head once more for a new parser: this one takes no body of a request that asks for an upgrade."""
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s\r\n" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        return b"".join([*lines, b"\r\n"])

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._gets_on = self._in_head = True
        self._head = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(len(name) + len(value) + _SEPARATORS)

    def on_headers_complete(self) -> None:
        self._gets_on = True
        self._in_head = False
        if not self._ignores_upgrade():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._gets_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._gets_on = True
        if not self._ignores_upgrade():
            super().on_message_complete()

    def _count(self, more: int) -> None:
        self._head += more
        if self._head > self.max_head:
            self._refused = HeadersTooLarge(self._too_large())
            raise self._refused  # which ends the parser's work

    def _too_large(self) -> str:
        return f"The headers are longer than {self.max_head} bytes. Send fewer or shorter ones."

    def _answer(self, problem: Problem) -> None:
        """End the connection, with the problem as the answer if it is this request's turn to be answered."""
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
    """With this limit, in bytes: uvicorn makes the protocols itself."""
    return type("HttpProtocol", (HttpProtocol,), {"max_head": max_head})

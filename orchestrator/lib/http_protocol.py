"""Uvicorn's HTTP/1.1 with limits on what a connection may cost, and without the upgrades that no route takes.

Limits are on the size of a request's head, on the time until a request is complete, on what is sent ahead, on an answer
that is not read, and on the number of connections. perf/README.md compares this with other servers.
"""

import logging
import resource
from asyncio import CancelledError, Transport
from typing import Any, ClassVar, Final, Literal

import httptools
import msgspec
import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from orchestrator.lib import metrics
from orchestrator.lib.access_log import REFUSED
from orchestrator.lib.errors.problem_details import openai_error, summary
from orchestrator.lib.errors.problems import BadRequest, Busy, HeadersTooLarge, Problem, RequestTimeout
from orchestrator.lib.request_clock import RequestClock
from orchestrator.lib.response_headers import ALWAYS
from orchestrator.lib.settings import ServerSettings

_SLICE: Final = 16_384  # bytes that the parser gets at once; its progress is checked between two slices
_SEPARATORS: Final = 4  # bytes: a colon, a blank and the end of the line
_LINGER_SECONDS: Final = 1.0  # between an answer and the end of its connection, which may destroy what is not read yet

log = structlog.stdlib.get_logger("lectern.http")


class HttpProtocol(HttpToolsProtocol):
    limits = ServerSettings()
    lingering: ClassVar[set["HttpProtocol"]] = set()
    """Refused connections, which are open for a moment more and do not count."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*arguments, **options)
        self._part: Literal["head", "body"] | None = None  # of the request that the parser is in
        self._requests = 0
        self._head = 0  # bytes of the complete elements
        self._made_progress = False
        self._waiting = 0  # bytes since the parser last made progress
        self._held = b""  # what came ahead of its turn
        self._refused: Problem | None = None
        self._clock = RequestClock(self.loop, self.limits, self._out_of_time)

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        limit = self.limits.max_connections
        if len(self.connections) - len(self.lingering) <= limit or self._close_an_idle_one():
            self._clock.wait_for(self._requests, "beginning")
        elif len(self.lingering) < limit:
            self._refuse(Busy("The server has as many connections as it can take. Try again soon.", retry_after=1))
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._clock.stop()
        self._clock.reader_is_back()
        self.lingering.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._held = self._held + data if self._held else data
        self._feed_held()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._held:
            self.loop.call_soon(self._feed_held)

    def _feed_held(self) -> None:
        """Feeds the parser, until a request has to wait for the answer to an earlier one."""
        self._unset_keepalive_if_required()
        while self._held and not self.pipeline and self._refused is None and not self.transport.is_closing():
            part, self._held = self._held[:_SLICE], self._held[_SLICE:]
            while part and self._refused is None:
                part = self._feed(part)
            if self.transport.get_protocol() is not self:
                self._clock.stop()
                return
        if self._refused is not None:
            self._refuse(self._refused)
        elif self._held:
            self._clock.stop()
            self.flow.pause_reading()
        elif self._part is not None:
            self._clock.wait_for(self._requests, self._part)
        elif not self._answering():  # such as an empty line between two requests
            self._clock.wait_for(self._requests, "beginning")
        else:
            self._clock.stop()

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
        if self._waiting > self.limits.max_head_bytes:
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
        self._made_progress = True
        self._part = "head"
        self._requests += 1
        self._head = self._clock.body = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(len(name) + len(value) + _SEPARATORS)

    def on_headers_complete(self) -> None:
        self._made_progress = True
        self._part = "body"
        if not self._ignores_upgrade():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._made_progress = True
        self._clock.body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._made_progress = True
        self._part = None
        if not self._ignores_upgrade():
            super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._clock.wait_for_reader(self.transport.abort)

    def resume_writing(self) -> None:
        self._clock.reader_is_back()
        super().resume_writing()

    def _count(self, more: int) -> None:
        self._head += more
        if self._head > self.limits.max_head_bytes:
            self._refused = HeadersTooLarge(self._too_large())
            raise self._refused  # ends the parser's work

    def _too_large(self) -> str:
        return f"The headers are longer than {self.limits.max_head_bytes} bytes. Send fewer or shorter ones."

    def _close_an_idle_one(self) -> bool:
        for one in self.connections:
            if getattr(one, "timeout_keep_alive_task", None) and not one.transport.is_closing():
                one.transport.close()
                return True
        return False

    def _out_of_time(self) -> None:
        if self.flow.read_paused or (self._part == "head" and self._answering()):  # the client is not what is slow
            self._clock.wait_for(self._requests, self._part or "beginning")
        elif self._part is None:  # a connection that has said nothing
            self.transport.close()
        else:
            seconds = f"{self.limits.request_seconds:g} seconds"
            self._refuse(
                RequestTimeout(f"The headers were not complete within {seconds}. Send them faster.")
                if self._part == "head"
                else RequestTimeout(
                    f"The body came more slowly than {self.limits.min_body_rate} bytes a second, after the first"
                    f" {seconds}. Send it faster."
                )
            )

    def _refuse(self, problem: Problem) -> None:
        """Ends the connection; answers with the problem first if no earlier response is still open."""
        if self.transport.is_closing():
            return
        self._refused, self._held = problem, b""
        self._clock.stop()
        self._unset_keepalive_if_required()
        answering = self._answering()
        own = answering and self._part == "body" and not self.pipeline  # what is refused is what is being answered
        answered = self._part == "body" and not answering
        if not answered and not self.pipeline and (not answering or (own and not self.cycle.response_started)):
            self.transport.write(self._response(problem))
        if answering:
            self.cycle.scope["state"][REFUSED] = problem.status if own else None
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self.flow.resume_writing()
        if not own:
            metrics.HTTP_REQUESTS.labels("(none)", "(none)", problem.status).inc()
            log.info("request refused", status=problem.status, detail=problem.detail, client=self.client)
        self.lingering.add(self)
        self.flow.pause_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _response(self, problem: Problem) -> bytes:
        openai = getattr(self, "url", b"").startswith(b"/v1/")
        body = msgspec.json.encode({"error": openai_error(problem)} if openai else summary(problem))
        headers = [
            *self.server_state.default_headers,
            *ALWAYS,
            (b"content-type", b"application/json" if openai else b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        if problem.retry_after is not None:
            headers.append((b"retry-after", str(problem.retry_after).encode()))
        lines = [b"%s: %s\r\n" % header for header in headers]
        return b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", body])


def _is_failure(record: logging.LogRecord) -> bool:
    """Uvicorn logs a traceback for each response that it cancels when it stops."""
    return record.exc_info is None or not isinstance(record.exc_info[1], CancelledError)


def http_protocol(settings: ServerSettings) -> type[HttpProtocol]:
    """Returns a class with these limits, as uvicorn makes the instances itself."""
    logging.getLogger("uvicorn.error").addFilter(_is_failure)
    return type("HttpProtocol", (HttpProtocol,), {"limits": settings, "lingering": set()})


def allow_open_files(number: int) -> None:
    """Raises this process's limit to ``number``, or as far as it may; it often is 1,024, and a connection is a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

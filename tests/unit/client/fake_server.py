"""An HTTP server on loopback that answers by script and can break an answer off in its middle."""

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any  # of a form, its bytes


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    framing: str = "length"  # "length", "chunked", "none", or the same cut off: "length-cut", "chunked-cut"

    @classmethod
    def json(cls, value: object, status: int = 200, **headers: str) -> "Answer":
        return cls(status, json.dumps(value).encode(), {"content-type": "application/json", **headers})


class FakeServer:
    """Gives the answers set for a method and path in turn, and the last one again and again."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._answers: dict[tuple[str, str], list[Answer]] = {}
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                fake._handle(self)

            do_GET = do_POST = do_HEAD = do_DELETE = do_PATCH = _answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    def answer(self, method: str, path: str, *answers: Answer) -> None:
        self._answers[method, path] = list(answers)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.daemon_threads = True
        self._http.server_close()

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        split = urlsplit(handler.path)
        length = int(handler.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        sent = handler.rfile.read(length)
        form = headers.get("content-type", "").startswith("multipart/")
        body = sent if form else json.loads(sent) if sent else None
        with self._lock:
            self.asked.append(Asked(handler.command, split.path, parse_qs(split.query), headers, body))
            answers = self._answers.get((handler.command, split.path), [Answer(404, b"<html>no such page</html>")])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        _send(handler, answer)


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    kind, _, cut = answer.framing.partition("-")
    if kind == "length":
        handler.send_header("content-length", str(len(answer.body) + (1 if cut else 0)))
    elif kind == "chunked":
        handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    if handler.command != "HEAD":
        content = b"%x\r\n%s\r\n" % (len(answer.body), answer.body) if kind == "chunked" else answer.body
        with suppress(ConnectionError):  # the client may have left
            handler.wfile.write(content)
            if kind == "chunked" and not cut:
                handler.wfile.write(b"0\r\n\r\n")
    if cut or kind == "none":
        handler.close_connection = True

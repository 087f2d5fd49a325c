"""A server on this machine that behaves like a hub of models: its API, redirects to a store of large files, ranges."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = 2_000  # bytes from which on a file is an LFS object
PAGE = 3  # files in an answer of the API


@dataclass
class Repository:
    files: dict[str, bytes]
    token: str = ""  # without which it is not shown, if there is one
    renamed: str = ""  # where it is now

    @property
    def commit(self) -> str:
        return hashlib.sha1(repr(sorted(self.files)).encode()).hexdigest()


@dataclass
class Asked:
    path: str
    first: str
    token: str
    agent: str


@dataclass
class State:
    repositories: dict[str, Repository] = field(default_factory=dict)
    plain: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)  # lengths after which the next answers of the store break off


class Hub(ThreadingHTTPServer):
    """`store` has another port, which for a client is another host."""

    daemon_threads = True

    def __init__(self, state: State, store: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.state = state
        self.store = store
        self.url = f"http://127.0.0.1:{self.server_port}"

    @property
    def repositories(self) -> dict[str, Repository]:
        return self.state.repositories

    @repositories.setter
    def repositories(self, repositories: dict[str, Repository]) -> None:
        self.state.repositories = repositories

    @property
    def plain(self) -> dict[str, bytes]:
        return self.state.plain

    @plain.setter
    def plain(self, plain: dict[str, bytes]) -> None:
        self.state.plain = plain

    def downloads(self) -> list[str]:
        """The names of the files that were fetched, as often as they were asked for."""
        return [
            one.path.rpartition("/")[2] for one in self.state.asked if not one.path.startswith(("/api/", "/store/"))
        ]


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        path = unquote(address.path)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.server.state.asked.append(Asked(path, self.headers.get("Range", ""), token, self.headers["User-Agent"]))
        if path in self.server.plain:
            self._send(self.server.plain[path])
        elif path.startswith("/store/"):
            self._send_object(path.rpartition("/")[2])
        elif path.startswith("/api/models/"):
            self._api(path.removeprefix("/api/models/"), parse_qs(address.query))
        else:
            self._resolve(path)

    def _api(self, path: str, query: Mapping[str, list[str]]) -> None:
        owner, name, what, revision = path.split("/", 3)
        repository = self._allowed(f"{owner}/{name}", f"/api/models/{{}}/{what}/{revision}?{urlsplit(self.path).query}")
        if repository is None:
            return
        if revision not in ("main", repository.commit):
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        elif what == "revision":
            self._send(json.dumps({"id": f"{owner}/{name}", "sha": repository.commit}).encode())
        else:
            first = int(query.get("cursor", ["0"])[0])
            entries = [_entry(name, content) for name, content in sorted(repository.files.items())]
            entries.insert(0, {"type": "directory", "path": "figures", "size": 0, "oid": "0" * 40})
            following = f"{self.path.split('&')[0]}&cursor={first + PAGE}" if first + PAGE < len(entries) else ""
            link = {"Link": f'<{self.server.url}{following}>; rel="next"'} if following else {}
            self._send(json.dumps(entries[first : first + PAGE]).encode(), link)

    def _resolve(self, path: str) -> None:
        head, _, tail = path.partition("/resolve/")
        revision, _, name = tail.partition("/")
        repository = self._allowed(head.removeprefix("/"), f"/{{}}/resolve/{revision}/{name}")
        if repository is None:
            return
        content = repository.files.get(name)
        if content is None or revision not in ("main", repository.commit):
            self._refuse(404, "EntryNotFound", "Entry not found")
            return
        etag = _entry(name, content)["oid"]
        if len(content) < LARGE:
            self._send(content, {"X-Repo-Commit": repository.commit, "ETag": f'"{etag}"'})
            return
        digest = hashlib.sha256(content).hexdigest()
        linked = {
            "X-Linked-Size": str(len(content)),
            "X-Linked-Etag": f'"{digest}"',
            "X-Repo-Commit": repository.commit,
        }
        self._redirect(f"{self.server.store}/store/{digest}", 302, linked)

    def _allowed(self, name: str, path: str) -> Repository | None:
        repository = self.server.repositories.get(name)
        if repository is not None and repository.renamed:
            self._redirect(path.format(repository.renamed), 307)
            return None
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if repository is None or (repository.token and not token):
            # The hub does not tell which repositories it does not have.
            self._refuse(401, "RepoNotFound", "Invalid username or password.")
        elif repository.token and token != repository.token:
            self._refuse(403, "GatedRepo", f"Access to model {name} is restricted: ask for access on its page.")
        else:
            return repository
        return None

    def _send_object(self, sha256: str) -> None:
        every = [content for one in self.server.repositories.values() for content in one.files.values()]
        content = next(content for content in every if hashlib.sha256(content).hexdigest() == sha256)
        if self.headers.get("Authorization"):
            self.send_error(400)  # the address is signed, and a second authorization is refused
            return
        cuts = self.server.state.cuts
        cut = cuts.pop(0) if cuts else len(content)
        wanted = self.headers.get("Range")
        if wanted is None:
            self._send(content, cut=cut)
            return
        first = int(wanted.removeprefix("bytes=").rstrip("-"))
        if first >= len(content):
            self.send_error(416)
            return
        covered = {"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"}
        self._send(content[first:], covered, status=206, cut=cut)

    def _send(
        self, body: bytes, headers: Mapping[str, str] | None = None, status: int = 200, cut: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:cut])
        self.close_connection = True

    def _redirect(self, location: str, status: int, headers: Mapping[str, str] | None = None) -> None:
        self._send(b"", {"Location": location, **(headers or {})}, status)

    def _refuse(self, status: int, code: str, message: str) -> None:
        body = json.dumps({"error": message}).encode()
        self._send(body, {"X-Error-Code": code, "X-Error-Message": message}, status)

    def log_message(self, *_: Any) -> None:
        pass


def _entry(name: str, content: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": name, "size": len(content)}
    if len(content) < LARGE:
        return entry | {"oid": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()}
    pointer = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
    return entry | {"oid": "1" * 40, "lfs": pointer}


@contextmanager
def serving() -> Iterator[Hub]:
    state = State()
    with Hub(state) as store, Hub(state, store.url) as hub:
        threads = [threading.Thread(target=one.serve_forever, args=(0.01,)) for one in (store, hub)]
        for thread in threads:
            thread.start()
        yield hub
        for one in (store, hub):
            one.shutdown()
        for thread in threads:
            thread.join()

"""Which files of ours a request enters, in the order in which it enters them: the way of a request, to read along.

Serves the API in this process beside a running stack (`make up`), asks it, and notes every call by sys.setprofile.
Background tasks are told apart by a context variable, so that only what works for the request counts.

    python -m perf.request_path               # how many files each kind of request enters
    python -m perf.request_path speech        # the list of one kind
"""

import argparse
import asyncio
import contextvars
import json
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import uuid4

import httpx
import uvicorn
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from lectern import local_stack
from orchestrator import settings
from orchestrator.app import web_app
from orchestrator.embedded.home import Home
from orchestrator.embedded.postgres import Postgres

ROOT = Path(__file__).resolve().parents[1]
OURS = tuple(str(ROOT / folder) for folder in ("orchestrator", "clients/python/src"))
PARAGRAPH = "A sentence that is long enough to be read aloud in some seconds, and then a second one. "

_of_request: contextvars.ContextVar[bool] = contextvars.ContextVar("of_request", default=False)


class Trace:
    def __init__(self) -> None:
        self.entered: dict[str, set[str]] = {}  # file -> the files it was called from, in the order of the first call
        self._seen: set[FrameType] = set()  # a coroutine is resumed by calls that enter nothing anew

    def note(self, frame: FrameType) -> None:
        if frame in self._seen:
            return
        if threading.current_thread() is threading.main_thread() and not _of_request.get():
            return
        if frame.f_code.co_name in ("<module>", "<genexpr>", "<listcomp>", "<dictcomp>", "<lambda>"):
            return
        self._seen.add(frame)
        name = _short(frame.f_code.co_filename)
        callers = self.entered.setdefault(name, set())
        caller = _caller(frame)
        if caller != name:
            callers.add(caller)


def _caller(frame: FrameType) -> str:
    above = frame.f_back
    while above is not None:
        if above.f_code.co_filename.startswith(OURS):
            return _short(above.f_code.co_filename)
        above = above.f_back
    return "(server)"


def _short(filename: str) -> str:
    return str(Path(filename).relative_to(ROOT)).removeprefix("clients/python/src/")


def of_request(app: ASGIApp) -> ASGIApp:
    async def marked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            _of_request.set(True)
        await app(scope, receive, send)

    return marked


@asynccontextmanager
async def served() -> AsyncIterator[httpx.AsyncClient]:
    home = Home(local_stack.home())
    postgres = Postgres.at(home)
    postgres.port = int((home.postgres / "postmaster.pid").read_text().splitlines()[3])
    triton = json.loads((home.path / local_stack.STACK_FILE).read_text())["triton_url"]
    environment = {"DATABASE_URL": postgres.url, "STORE_URL": home.store.as_uri(), "TRITON_URL": triton}
    app = web_app(settings.load({**os.environ, **environment}))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(of_request(app), log_config=None, access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        headers = {"authorization": f"Bearer {local_stack.api_key()}"}
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=120, trust_env=False) as client:
            while not server.started or not (await client.get("/readyz")).is_success:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            yield client
        server.should_exit = True
        await serving


async def traced(request: Callable[[], Awaitable[Any]]) -> Trace:
    profiler.trace = Trace()
    await request()
    trace, profiler.trace = profiler.trace, None
    return trace


class Profiler:
    """Set once, as threads that run already cannot be given another."""

    def __init__(self) -> None:
        self.trace: Trace | None = None

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if self.trace is not None and event == "call" and frame.f_code.co_filename.startswith(OURS):
            self.trace.note(frame)


profiler = Profiler()


async def requests(client: httpx.AsyncClient) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Each kind of request by name."""
    new = {"input": f"{uuid4().hex}. {PARAGRAPH}", "model": "espeak", "voice": "en-us", "response_format": "mp3"}
    document = (await client.post("/api/v1/documents", json={"text": PARAGRAPH * 40})).json()["id"]
    while (await client.get(f"/api/v1/documents/{document}")).json()["status"] == "queued":  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    blocks = (await client.get(f"/api/v1/documents/{document}/blocks")).json()["items"]
    audio = f"/api/v1/documents/{document}/blocks/{blocks[0]['id']}/audio?voice=en-us&model=espeak"

    async def speech() -> None:
        (await client.post("/v1/audio/speech", json=new)).raise_for_status()

    async def get(path: str) -> None:
        (await client.get(path)).raise_for_status()

    async def playback() -> None:
        query = "voice=en-us&model=espeak&window=5"
        async with client.stream("GET", f"/api/v1/documents/{document}/playback?{query}") as events:
            async for line in events.aiter_lines():
                if '"ready"' in line:
                    return

    return {
        "speech": speech,
        "cached speech": speech,
        "document audio": lambda: get(f"/api/v1/documents/{document}/audio?voice=en-us&model=espeak"),
        "playback": playback,
        "block": lambda: get(audio),
    }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="?", help="prints the files that this kind of request enters")
    chosen = parser.parse_args().kind
    threading.setprofile(profiler)
    sys.setprofile(profiler)
    async with served() as client:
        for kind, request in (await requests(client)).items():
            trace = await traced(request)
            if chosen is None:
                print(f"{kind:16} {len(trace.entered):3} files")
            elif kind == chosen:
                for name, callers in trace.entered.items():
                    print(f"{name:56} from {', '.join(sorted(callers))}")


if __name__ == "__main__":
    asyncio.run(main())

"""Further processes beside the stack's own, over the same database, store and Triton."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from orchestrator.embedded.home import Home
from orchestrator.embedded.postgres import Postgres
from tests.stack import ROOT, Stack, is_ready

T = TypeVar("T")


class WebServer(NamedTuple):
    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def web_server(stack: Stack, log: Path, **settings: str) -> Iterator[str]:
    """Another web process, with settings of its own; yields its address once it is ready."""
    with web_process(stack, log, **settings) as server:
        yield server.url


@contextmanager
def web_process(stack: Stack, log: Path, **settings: str) -> Iterator[WebServer]:
    """The same, for tests that do something to the process."""
    port = free_port()
    process = _start("serve", stack, log, LECTERN_PORT=str(port), **settings)
    url = f"http://127.0.0.1:{port}"
    try:
        limit = time.monotonic() + 120
        while not is_ready(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < limit, "the server did not become ready"
            time.sleep(0.1)
        yield WebServer(url, process)
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextmanager
def worker_process(stack: Stack, log: Path, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Another worker, with settings of its own."""
    process = _start("worker", stack, log, **settings)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


def _start(command: str, stack: Stack, log: Path, **settings: str) -> "subprocess.Popen[bytes]":
    home = Home(stack.home)
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(home),
        "STORE_URL": home.store.as_uri(),
        "TRITON_URL": stack.triton_address,
        **settings,
    }
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "orchestrator", command], cwd=ROOT, env=environment, stdout=output, stderr=output
        )


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def together(*contexts: AbstractContextManager[T]) -> Iterator[list[T]]:
    """Enters them at the same time: each server takes seconds to become ready."""
    with ExitStack() as leaving, ThreadPoolExecutor(len(contexts)) as threads:
        yield list(threads.map(leaving.enter_context, contexts))


def database_url(home: Home) -> str:
    """The port stands in the fourth line of the file Postgres keeps while it runs."""
    postgres = Postgres.at(home)
    postgres.port = int((home.postgres / "postmaster.pid").read_text().splitlines()[3])
    return postgres.url

"""Twenty times `kill -9` of any process, while requests come.

The stack is back within seconds, nothing that was acknowledged is lost, and nothing is counted twice.
"""

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from statistics import median
from uuid import uuid4

import asyncpg
import httpx
import pytest

from orchestrator.embedded.home import Home
from tests.integration.servers import database_url
from tests.processes import Process, running
from tests.stack import Stack, started_stack

pytestmark = pytest.mark.long

KILLS = 20
SEED = int(os.environ.get("LECTERN_TEST_SEED", "14"))
BACK_SECONDS = 15.0
CLIENTS = 3
LIMIT = 90.0  # seconds, against a hang
RATE = 24_000  # Hz, of PCM
VICTIMS = ("triton_python_backend_stub", "tritonserver", "postgres", "worker", "serve", "guard")


@pytest.fixture(scope="module")
def stack(open_folder: Path) -> Iterator[Stack]:
    with started_stack(open_folder / "home", LECTERN_MODELS="espeak", LECTERN_MODEL_REPOSITORIES="") as made:
        yield made


@dataclass
class Client:
    """Makes documents and has each read aloud, again and again. Notes what was acknowledged, and what went wrong."""

    stack: Stack
    stopped: threading.Event
    documents: list[str] = field(default_factory=list)
    heard: dict[str, bytes] = field(default_factory=dict)  # the whole audio of blocks, by the segment's key
    failures: int = 0
    unexpected: list[str] = field(default_factory=list)

    def run(self) -> None:
        with self.stack.http() as api:
            while not self.stopped.is_set():
                try:
                    self._read_aloud(api)
                except httpx.TransportError:
                    self.failures += 1
                except httpx.HTTPStatusError as error:
                    self.failures += 1
                    if error.response.status_code not in (502, 503, 504):
                        self.unexpected.append(f"{error.response.status_code}: {error.response.read().decode()}")
                self.stopped.wait(0.05)

    def _read_aloud(self, api: httpx.Client) -> None:
        text = f"The reader of room {uuid4().hex} opened the window and began."
        document = str(api.post("/api/v1/documents", json={"text": text}).raise_for_status().json()["id"])
        self.documents.append(document)
        while not self.stopped.is_set():
            if api.get(f"/api/v1/documents/{document}").raise_for_status().json()["status"] == "ready":
                break
            self.stopped.wait(0.05)
        else:
            return
        (block,) = api.get(f"/api/v1/documents/{document}/blocks").raise_for_status().json()["items"]
        url = f"/api/v1/documents/{document}/blocks/{block['id']}/audio"
        asked = {"model": "espeak", "response_format": "pcm", "pauses": "paragraph:0"}  # what was made, and no more
        answer = api.get(url, params=asked).raise_for_status()
        self.heard[PurePosixPath(answer.headers["content-location"]).stem] = answer.content


def victims(stack: Stack) -> dict[str, Process]:
    """Returns a process for each kind that runs."""
    found: dict[str, Process] = {}
    for process in running(stack.process.pid):
        names = (process.program, *process.arguments[-1:])
        for kind in VICTIMS:
            if kind in names:
                found.setdefault(kind, process)
    return found


def is_back(stack: Stack, killed: Process) -> bool:
    if any(process.pid == killed.pid for process in running(stack.process.pid)):
        return False
    try:
        with stack.http() as api:
            body = {"model": "espeak", "voice": "en-us", "input": f"Back again, {uuid4().hex}."}
            return stack.is_ready() and api.post("/v1/audio/speech", json=body).is_success
    except httpx.TransportError:
        return False


def test_kills_in_random_order_lose_nothing_and_count_nothing_twice(stack: Stack) -> None:
    order = random.Random(SEED)
    stopped = threading.Event()
    clients = [Client(stack, stopped) for _ in range(CLIENTS)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    took: list[tuple[float, str]] = []
    try:
        for _ in range(KILLS):
            kind, victim = order.choice(sorted(victims(stack).items()))
            os.kill(victim.pid, signal.SIGKILL)
            killed_at = time.monotonic()
            while not is_back(stack, victim):
                assert time.monotonic() - killed_at < LIMIT, f"{kind} was killed and service is not back"
                time.sleep(0.1)
            took.append((time.monotonic() - killed_at, kind))
    finally:
        stopped.set()
        for thread in threads:
            thread.join(180)
    heard = {key: audio for client in clients for key, audio in client.heard.items()}
    documents = [document for client in clients for document in client.documents]
    failures = sum(client.failures for client in clients)
    print(f"{len(documents)} documents, {len(heard)} heard, {failures} failures; back after", sorted(took))  # noqa: T201
    assert median(seconds for seconds, _ in took) < BACK_SECONDS, sorted(
        took
    )  # a machine with much else to do is slower
    assert [problem for client in clients for problem in client.unexpected] == []
    assert len(heard) > KILLS
    assert_all_is_cut(stack, documents)
    assert_counted_once(stack, heard)


def assert_all_is_cut(stack: Stack, documents: list[str]) -> None:
    until = time.monotonic() + LIMIT
    with stack.http() as api:
        for document in documents:
            while (found := api.get(f"/api/v1/documents/{document}").raise_for_status().json())["status"] != "ready":
                assert found["status"] == "queued", found
                assert time.monotonic() < until, f"not cut: {found}"
                time.sleep(0.1)


def assert_counted_once(stack: Stack, heard: dict[str, bytes]) -> None:
    """What was written down while the database was away is settled within half a minute."""
    until = time.monotonic() + LIMIT
    while missing := heard.keys() - (counted := usage(stack)).keys():
        assert time.monotonic() < until, f"{len(missing)} of {len(heard)} acknowledged segments are not counted"
        time.sleep(0.5)
    for key, audio in heard.items():
        assert counted[key] == [pytest.approx(len(audio) / 2 / RATE, abs=0.01)], key


def usage(stack: Stack) -> dict[str, list[float]]:
    """Returns the seconds that models made, as they are counted, by the segment's key."""

    async def read() -> dict[str, list[float]]:
        connection = await asyncpg.connect(database_url(Home(stack.home)), timeout=60)
        try:
            found: dict[str, list[float]] = {}
            for row in await connection.fetch("SELECT segment_key, made_seconds FROM usage WHERE source = 'made'"):
                found.setdefault(row["segment_key"], []).append(row["made_seconds"])
            return found
        finally:
            await connection.close()

    return asyncio.run(read())

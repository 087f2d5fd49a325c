"""`kill -9` of each process of a running stack: it recovers by itself and loses nothing that it acknowledged."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from uuid import uuid4

import httpx
import pytest

from tests.processes import Process, descendants
from tests.stack import Stack, started_stack

pytestmark = pytest.mark.long

RECOVERY_LIMIT = 120.0  # seconds, only against a hang; a recovery takes up to 15
SENTENCE = "The lamp on the long table was lit at six, and nobody in the reading room spoke a word. "


@pytest.fixture(scope="module")
def running(open_folder: Path) -> Iterator[Stack]:
    with started_stack(open_folder / "home", LECTERN_MODELS="espeak", LECTERN_MODEL_REPOSITORIES="") as stack:
        yield stack


def is_model(process: Process) -> bool:
    return process.program == "triton_python_backend_stub"


def is_triton(process: Process) -> bool:
    return process.program == "tritonserver"


def is_postgres(process: Process) -> bool:
    """The postmaster: its children name themselves `postgres: …`."""
    return process.program == "postgres"


def is_worker(process: Process) -> bool:
    return process.arguments[-2:] == ("orchestrator", "worker")


def is_web(process: Process) -> bool:
    return process.arguments[-2:] == ("orchestrator", "serve")


def is_guard(process: Process) -> bool:
    return process.arguments[-2:] == ("orchestrator", "guard")


@dataclass(frozen=True)
class Acknowledged:
    """What the server has confirmed to store."""

    ready: str  # a document that is cut, with audio of its last block
    block: str
    audio: bytes
    queued: list[str]  # documents that may not be cut yet


def acknowledge(api: httpx.Client) -> Acknowledged:
    ready = document(api, f"# Kept\n\n{SENTENCE * 3}{uuid4()}")
    wait_until_cut(api, ready)
    block = api.get(f"/api/v1/documents/{ready}/blocks").raise_for_status().json()["items"][-1]["id"]
    audio = block_audio(api, ready, block)
    return Acknowledged(ready, block, audio, queued=[document(api, SENTENCE * 200) for _ in range(6)])


def document(api: httpx.Client, text: str) -> str:
    return str(api.post("/api/v1/documents", json={"text": text}).raise_for_status().json()["id"])


def wait_until_cut(api: httpx.Client, document_id: str, limit: float = 30.0) -> None:
    until = time.monotonic() + limit
    while (found := api.get(f"/api/v1/documents/{document_id}").raise_for_status().json())["status"] != "ready":
        assert found["status"] == "queued", found
        assert time.monotonic() < until, f"not cut within {limit} s: {found}"
        time.sleep(0.1)


def block_audio(api: httpx.Client, document_id: str, block: str) -> bytes:
    address = f"/api/v1/documents/{document_id}/blocks/{block}/audio"
    return api.get(address, params={"response_format": "pcm"}).raise_for_status().content


def speech(text: str) -> dict[str, str]:
    return {"model": "espeak", "voice": "en-us", "input": text, "response_format": "pcm"}


def speak(api: httpx.Client, text: str, begun: Event | None = None) -> httpx.Response:
    """Sets `begun` when the first audio has come."""
    with api.stream("POST", "/v1/audio/speech", json=speech(text), timeout=30) as answer:
        chunks = []
        for chunk in answer.iter_raw():
            chunks.append(chunk)
            if begun is not None:
                begun.set()
    return httpx.Response(answer.status_code, headers=answer.headers, content=b"".join(chunks))


def has_recovered(stack: Stack, api: httpx.Client, killed: Process) -> bool:
    """Returns whether the killed process is gone, `/readyz` says ready, and a new text is spoken."""
    if any(process.pid == killed.pid and process.runs for process in descendants(stack.process.pid)):
        return False
    try:
        return stack.is_ready() and speak(api, new_text(1)).is_success
    except httpx.TransportError:
        return False


def new_text(sentences: int) -> str:
    """Returns a text of new sentences."""
    room = random.randrange(10**6)
    return " ".join(f"Reader {number} sat down in room {room} and opened a book." for number in range(sentences))


def outcome(in_flight: Future[httpx.Response]) -> httpx.Response | None:
    """Returns the answer, or None if the connection broke; no answer in time is an error.

    The second request may come just after the kill, when nothing listens.
    """
    try:
        return in_flight.result(timeout=60)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.ConnectError):
        return None


@pytest.mark.parametrize(
    "is_victim",
    [is_model, is_triton, is_postgres, is_worker, is_web, is_guard],
    ids=lambda is_victim: is_victim.__name__[3:],
)
def test_a_killed_process_recovers_and_nothing_is_lost(running: Stack, is_victim: Callable[[Process], bool]) -> None:
    with running.http() as api, ThreadPoolExecutor(2) as threads:
        acknowledged = acknowledge(api)
        (victim,) = (process for process in descendants(running.process.pid) if is_victim(process) and process.runs)

        texts = [new_text(200), new_text(200)]
        begun = Event()
        in_flight = [threads.submit(speak, api, texts[0], begun)]
        assert begun.wait(30)
        in_flight.append(threads.submit(speak, api, texts[1]))
        os.kill(victim.pid, signal.SIGKILL)
        killed_at = time.monotonic()

        while not has_recovered(running, api, victim):
            assert time.monotonic() - killed_at < RECOVERY_LIMIT, f"{victim.program} was killed and service is not back"
            time.sleep(0.1)

        assert block_audio(api, acknowledged.ready, acknowledged.block) == acknowledged.audio
        for document_id in (acknowledged.ready, *acknowledged.queued):
            wait_until_cut(api, document_id)
        for text, answer in zip(texts, map(outcome, in_flight), strict=True):
            whole = speak(api, text)
            assert whole.is_success
            if answer is None:
                continue
            if answer.is_success:
                assert answer.content == whole.content  # never a good status with less than all of the sound
            else:
                assert answer.status_code >= 500
                assert answer.json()["error"]["message"]


@pytest.mark.parametrize("is_victim", [is_model, is_triton, is_guard], ids=lambda is_victim: is_victim.__name__[3:])
def test_a_process_that_hangs_is_replaced(running: Stack, is_victim: Callable[[Process], bool]) -> None:
    with running.http() as api:
        (victim,) = (process for process in descendants(running.process.pid) if is_victim(process) and process.runs)
        os.kill(victim.pid, signal.SIGSTOP)
        stopped_at = time.monotonic()
        while not has_recovered(running, api, victim):
            assert time.monotonic() - stopped_at < RECOVERY_LIMIT, f"{victim.program} hangs and service is not back"
            time.sleep(0.1)

"""Two orchestrators share the work: what many want at once is made once, also when one of them is killed."""

import asyncio
import hashlib
import signal
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from lectern.triton import Triton
from orchestrator.embedded.home import Home
from tests.integration import held
from tests.integration.metrics import metric
from tests.integration.servers import WebServer, together, web_process
from tests.own_triton import until
from tests.stack import Stack

SEGMENTS = 20
REQUESTS = 200
FINISHED = 3  # of the segments, when the process that made them is killed
PATIENT = {"LECTERN_ADMISSION_WAIT": "600"}  # what is tested here is merging, not admission
LIMIT = 60.0  # seconds


@pytest.fixture
def replicas(stack: Stack, tmp_path: Path) -> Iterator[list[WebServer]]:
    with together(*(web_process(stack, tmp_path / name, **PATIENT) for name in "ab")) as both:
        yield both


def fresh_texts(word: str) -> list[str]:
    return [f"Segment {number} of {word}." for number in range(SEGMENTS)]


async def ask(client: httpx.AsyncClient, url: str, text: str, voice: str = "slow") -> str:
    """The digest of the answer's audio."""
    body = {"model": "hum", "voice": voice, "input": text, "response_format": "pcm"}
    answer = await client.post(f"{url}/v1/audio/speech", json=body)
    return hashlib.sha256(answer.raise_for_status().content).hexdigest()


def client(stack: Stack) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        headers={"authorization": f"Bearer {stack.api_key}"},
        limits=httpx.Limits(max_connections=REQUESTS),
        timeout=120,
        trust_env=False,
    )


def made(servers: Sequence[WebServer]) -> float:
    return sum(metric(server.url, "lectern_segments_total", model="hum", source="made") for server in servers)


def test_two_hundred_requests_for_twenty_segments_are_twenty_syntheses(stack: Stack, replicas: list[WebServer]) -> None:
    texts = fresh_texts(uuid4().hex)

    async def ask_all() -> list[str]:
        async with client(stack) as http:
            asked = (ask(http, replicas[n // SEGMENTS % 2].url, texts[n % SEGMENTS]) for n in range(REQUESTS))
            return await asyncio.gather(*asked)

    answers = asyncio.run(ask_all())
    by_text: defaultdict[int, set[str]] = defaultdict(set)
    for number, digest in enumerate(answers):
        by_text[number % SEGMENTS].add(digest)
    assert [len(digests) for digests in by_text.values()] == [1] * SEGMENTS
    assert made(replicas) == SEGMENTS


def test_what_a_killed_orchestrator_was_making_is_made_by_the_other(stack: Stack, replicas: list[WebServer]) -> None:
    doomed, other = replicas
    word = uuid4().hex
    texts = fresh_texts(word)
    at_first = kept(stack)

    async def ask_all() -> tuple[list[str | BaseException], list[str], int]:
        async with client(stack) as http:

            def five_times(url: str, some: list[str]) -> list[asyncio.Task[str]]:
                return [asyncio.create_task(ask(http, url, text, "silent")) for text in some for _ in range(5)]

            with Triton(stack.triton_address) as triton:
                for text in texts[:FINISHED]:
                    await asyncio.to_thread(held.release, triton, text)
                lost = five_times(doomed.url, texts[:FINISHED])
                await asyncio.to_thread(until, lambda: kept(stack) >= at_first + FINISHED, "some are made", LIMIT)
                lost += five_times(doomed.url, texts[FINISHED:])
                await asyncio.to_thread(held.until_begun, triton, word, FINISHED + 1)
                heard = five_times(other.url, texts)
                finished = kept(stack) - at_first
                doomed.process.send_signal(signal.SIGKILL)
                await asyncio.to_thread(held.release, triton, word)
            return await asyncio.gather(*lost, return_exceptions=True), await asyncio.gather(*heard), finished

    lost, heard, finished = asyncio.run(ask_all())
    assert any(isinstance(one, httpx.TransportError) for one in lost), "the kill came too late"
    by_text: defaultdict[int, set[str]] = defaultdict(set)
    for number, digest in enumerate(heard):
        by_text[number // 5].add(digest)
    # Whole, or broken: never a short one that looks whole.
    for number, answer in enumerate(lost):
        assert isinstance(answer, httpx.TransportError) or answer in by_text[number // 5]
    assert [len(digests) for digests in by_text.values()] == [1] * SEGMENTS
    assert made([other]) <= SEGMENTS - finished  # what was finished is not made again, and nothing is made twice


def kept(stack: Stack) -> int:
    return sum(1 for _ in Home(stack.home).store.rglob("*.json"))

"""Two web processes and two workers share one Postgres and one store, a folder or S3.

What many want at once is made once and counted once, also when one of them is killed in the middle.
"""

import asyncio
import hashlib
import signal
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import httpx
import pytest

from lectern.triton import Triton
from tests.integration import held
from tests.integration import s3 as s3_server
from tests.integration.metrics import metric
from tests.integration.own_database import OwnDatabase, own_database
from tests.integration.servers import WebServer, together, web_process, worker_process
from tests.own_triton import until
from tests.stack import Stack

SEGMENTS = 20
REQUESTS = 200
FINISHED = 3  # of the segments, when the process that made them is killed
PATIENT = {"LECTERN_ADMISSION_WAIT": "600"}  # what is tested here is merging, not admission
DOCUMENTS, PARTS = 12, 300
LIMIT = 60.0  # seconds


class Replicas(NamedTuple):
    webs: list[WebServer]
    workers: list[subprocess.Popen[bytes]]
    database: OwnDatabase

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            headers={"authorization": f"Bearer {self.database.api_key}"},
            limits=httpx.Limits(max_connections=REQUESTS),
            timeout=120,
            trust_env=False,
        )

    def kept(self) -> int:
        return len(self.database.fetch("SELECT FROM cached_segment WHERE samples IS NOT NULL"))

    def made_by(self, *webs: WebServer) -> float:
        return sum(metric(web.url, "lectern_segments_total", model="hum", source="made") for web in webs)

    def counted_as_made(self) -> list[str]:
        """Returns the key of each row that counts a segment as made."""
        return [
            row["segment_key"] for row in self.database.fetch("SELECT segment_key FROM usage WHERE made_seconds > 0")
        ]


@pytest.fixture(params=["folder", "s3"])
def replicas(stack: Stack, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Replicas]:
    with ExitStack() as leaving:
        if request.param == "folder":
            store = {"STORE_URL": (tmp_path / "store").as_uri()}
        elif s3_server.PROGRAM:
            store = leaving.enter_context(s3_server.s3(tmp_path / "s3"))
        else:
            pytest.skip("LECTERN_TEST_S3 names no server")
        database = leaving.enter_context(own_database(stack))
        settings = {**store, **PATIENT, "DATABASE_URL": database.url}
        webs = leaving.enter_context(together(*(web_process(stack, tmp_path / name, **settings) for name in "ab")))
        workers = [
            leaving.enter_context(worker_process(stack, tmp_path / f"worker-{name}", **settings)) for name in "ab"
        ]
        yield Replicas(webs, workers, database)


def fresh_texts(word: str) -> list[str]:
    return [f"Segment {number} of {word}." for number in range(SEGMENTS)]


async def ask(client: httpx.AsyncClient, url: str, text: str, voice: str = "slow") -> str:
    """The digest of the answer's audio."""
    body = {"model": "hum", "voice": voice, "input": text, "response_format": "pcm"}
    answer = await client.post(f"{url}/v1/audio/speech", json=body)
    return hashlib.sha256(answer.raise_for_status().content).hexdigest()


def test_two_hundred_requests_for_twenty_segments_are_twenty_syntheses(replicas: Replicas) -> None:
    texts = fresh_texts(uuid4().hex)

    async def ask_all() -> list[str]:
        async with replicas.client() as http:
            asked = (ask(http, replicas.webs[n // SEGMENTS % 2].url, texts[n % SEGMENTS]) for n in range(REQUESTS))
            return await asyncio.gather(*asked)

    answers = asyncio.run(ask_all())
    by_text: defaultdict[int, set[str]] = defaultdict(set)
    for number, digest in enumerate(answers):
        by_text[number % SEGMENTS].add(digest)
    assert [len(digests) for digests in by_text.values()] == [1] * SEGMENTS
    assert replicas.made_by(*replicas.webs) == SEGMENTS
    counted = replicas.counted_as_made()  # every response has ended, so every row is written
    assert len(counted) == len(set(counted)) == SEGMENTS


def test_what_a_killed_web_process_was_making_is_made_by_the_other(stack: Stack, replicas: Replicas) -> None:
    doomed, other = replicas.webs
    word = uuid4().hex
    texts = fresh_texts(word)

    async def ask_all() -> tuple[list[str | BaseException], list[str], int]:
        async with replicas.client() as http:

            def five_times(url: str, some: list[str]) -> list[asyncio.Task[str]]:
                return [asyncio.create_task(ask(http, url, text, "silent")) for text in some for _ in range(5)]

            with Triton(stack.triton_address) as triton:
                for text in texts[:FINISHED]:
                    await asyncio.to_thread(held.release, triton, text)
                lost = five_times(doomed.url, texts[:FINISHED])
                await asyncio.to_thread(until, lambda: replicas.kept() >= FINISHED, "some are made", LIMIT)
                lost += five_times(doomed.url, texts[FINISHED:])
                await asyncio.to_thread(held.until_begun, triton, word, FINISHED + 1)
                heard = five_times(other.url, texts)
                finished = await asyncio.to_thread(replicas.kept)
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
    assert replicas.made_by(other) <= SEGMENTS - finished  # what was finished is not made again, nothing is made twice
    counted = replicas.counted_as_made()
    assert len(counted) == len(set(counted))
    assert SEGMENTS - finished <= len(counted) <= SEGMENTS


def test_the_documents_of_a_killed_worker_are_cut_by_the_other(replicas: Replicas) -> None:
    text = "\n\n".join(f"# Part {number}\n\nNobody has read {uuid4().hex} yet." for number in range(PARTS))

    def cut(http: httpx.Client, document: str) -> int | None:
        found = http.get(f"/api/v1/documents/{document}").raise_for_status().json()
        assert found["status"] in ("queued", "ready"), found
        return found["blocks"] if found["status"] == "ready" else None

    headers = {"authorization": f"Bearer {replicas.database.api_key}"}
    with httpx.Client(base_url=replicas.webs[0].url, headers=headers, timeout=120, trust_env=False) as http:
        made = [str(http.post("/api/v1/documents", json={"text": text}).json()["id"]) for _ in range(DOCUMENTS)]
        until(lambda: any(cut(http, one) for one in made), "a document is cut", LIMIT)
        replicas.workers[0].send_signal(signal.SIGKILL)
        until(lambda: all(cut(http, one) for one in made), "every document is cut", LIMIT)
        assert {cut(http, one) for one in made} == {PARTS}

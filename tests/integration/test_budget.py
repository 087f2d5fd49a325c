"""Two web processes over one store, whose budget is smaller than what is listened to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.integration import documents
from tests.integration import s3 as s3_server
from tests.integration.audio import decode
from tests.integration.metrics import metric
from tests.integration.own_database import own_database, worker
from tests.integration.servers import free_port, together, web_server
from tests.stack import Stack

BUDGET = 1_000_000
GRACE = 1


@dataclass(frozen=True)
class Pair:
    urls: tuple[str, str]
    worker: str
    """The address of its metrics."""
    api_key: str
    store: Path

    def http(self, url: str) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.api_key}"}
        return httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False)

    def stored(self) -> int:
        """Bytes of every file in the store; one may go while they are counted."""
        sizes = []
        for file in (self.store / "segments").rglob("*.*"):
            try:
                sizes.append(file.stat().st_size)
            except FileNotFoundError:
                continue
        return sum(sizes)

    def metric(self, name: str) -> float:
        return sum(metric(url, name) for url in self.urls)


@pytest.fixture(params=["folder", "s3"])
def pair(stack: Stack, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    if request.param == "folder":
        with started(stack, tmp_path, {"STORE_URL": (tmp_path / "store").as_uri()}, tmp_path / "store") as both:
            yield both
    elif not s3_server.PROGRAM:
        pytest.skip("LECTERN_TEST_S3 names no server")
    else:
        with (
            s3_server.s3(tmp_path / "s3") as environment,
            started(stack, tmp_path, environment, tmp_path / "s3" / "bucket" / "audio") as both,
        ):
            yield both


@contextmanager
def started(stack: Stack, folder: Path, environment: dict[str, str], store: Path) -> Iterator[Pair]:
    with own_database(stack) as database:
        own = {
            **environment,
            "DATABASE_URL": database.url,
            "LECTERN_CACHE_BUDGET": str(BUDGET),
            "LECTERN_CACHE_GRACE": str(GRACE),
            "LECTERN_CACHE_CHECK": "0.2",
        }
        port = free_port()
        with (
            worker(database, folder / "worker.log", **own, LECTERN_WORKER_PORT=str(port)),
            together(*(web_server(stack, folder / f"{name}.log", **own) for name in ("first", "second"))) as urls,
        ):
            yield Pair((urls[0], urls[1]), f"http://127.0.0.1:{port}", database.api_key, store)


def test_the_store_stays_within_its_budget_and_everything_can_still_be_heard(pair: Pair) -> None:
    with pair.http(pair.urls[0]) as first, pair.http(pair.urls[1]) as second:
        preview = first.get("/v1/audio/voices/preview?voice=en-us&model=espeak").raise_for_status().content
        text = "\n\n".join(f"Paragraph {n} of {uuid4().hex}. " + "It goes on for a good while. " * 5 for n in range(6))
        document = documents.make(first, text, format="text")
        folder = f"/api/v1/documents/{document['id']}/blocks"
        paths = [f"{folder}/{block['id']}/audio" for block in documents.blocks(first, document["id"])]
        lengths = [len(decode(first.get(path).raise_for_status().content)[0]) for path in paths]

        documents.until(lambda: metric(pair.worker, "lectern_segments_evicted_total"), lambda evicted: evicted > 0)
        documents.until(pair.stored, lambda stored: 0 < stored <= BUDGET)
        documents.until(lambda: pair.metric("lectern_cache_bytes"), lambda total: total <= 2 * BUDGET)
        assert metric(pair.worker, "lectern_bytes_evicted_total") > 0

        # Everything again, from both, while it is being evicted all the time.
        for path, length in zip(paths, lengths, strict=True):
            for api in (second, first):
                assert len(decode(api.get(path).raise_for_status().content)[0]) == length
        made = pair.metric("lectern_segments_total")
        assert second.get("/v1/audio/voices/preview?voice=en-us&model=espeak").content[-1000:] == preview[-1000:]
        assert pair.metric("lectern_segments_total") == made + 1
        assert metric(pair.urls[1], "lectern_segments_total", source="store", model="espeak") >= 1

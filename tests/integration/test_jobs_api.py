"""Jobs by REST: listed, followed as events across processes and reconnections, cancelled; and documents name theirs."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from lectern import ApiError, AsyncClient, Client
from orchestrator.jobs import queue
from orchestrator.lib import database
from orchestrator.lib.environment import Secret
from orchestrator.lib.settings import DatabaseSettings
from tests.integration import documents
from tests.integration import job_worker as kinds
from tests.integration.accounts import other_account
from tests.integration.custom_voices import voice
from tests.integration.metrics import metric
from tests.integration.own_database import OwnDatabase, own_database
from tests.integration.servers import web_server
from tests.stack import ROOT, Stack
from tests.unit.client.either import Asyncio, Threads

ENDED = ("succeeded", "failed", "cancelled")


@pytest.fixture(scope="module")
def own(stack: Stack) -> Iterator[OwnDatabase]:
    with own_database(stack) as made:
        yield made


@pytest.fixture(scope="module")
def server(stack: Stack, own: OwnDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Over a database where no worker runs but those of a test."""
    log: Path = tmp_path_factory.mktemp("jobs") / "web.log"
    with web_server(stack, log, DATABASE_URL=own.url, LECTERN_CACHE_CHECK="0.2") as url:
        headers = {"authorization": f"Bearer {own.api_key}"}
        with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
            yield client


@contextmanager
def worker(own: OwnDatabase, folder: Path) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.job_worker", str(folder), "hasty"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": own.url},
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def enqueue(own: OwnDatabase, kind: queue.Kind) -> str:
    async def run() -> UUID | None:
        async with database.pool(DatabaseSettings(url=Secret(own.url))):
            (row,) = await database.run("SELECT id FROM account")
            return await queue.enqueue(kind, row["id"], resource="/api/v1/things/1")

    return str(asyncio.run(run()))


class Follower:
    """Reads the events of a job."""

    def __init__(self, answer: httpx.Response) -> None:
        assert answer.headers["content-type"].startswith("text/event-stream")
        self._lines = answer.iter_lines()
        self.ids: list[int] = []

    def next(self) -> dict[str, Any]:
        number = None
        for line in self._lines:
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("data: "):
                assert number is not None
                self.ids.append(number)
                return dict(json.loads(line[6:]))
        raise EOFError

    def until(self, *wanted: str) -> dict[str, Any]:
        """Returns the first event in one of these states."""
        while (event := self.next())["state"] not in wanted:
            pass
        return event


@contextmanager
def followed(api: httpx.Client, job: str, last: int | None = None) -> Iterator[Follower]:
    headers = {"last-event-id": str(last)} if last is not None else {}
    with api.stream("GET", f"/api/v1/jobs/{job}/events", headers=headers) as answer:
        assert answer.status_code == 200
        yield Follower(answer)


def test_a_document_names_the_job_that_cuts_it(api: httpx.Client) -> None:
    created = api.post("/api/v1/documents", json={"text": "A few words, to be cut into one block."}).json()
    with followed(api, created["job"]) as follower:
        end = follower.until(*ENDED)
    assert (end["state"], end["kind"], end["error"]) == ("succeeded", "cut_document", None)
    assert end["resource"] == f"/api/v1/documents/{created['id']}"
    document = api.get(end["resource"]).json()
    assert (document["status"], document["job"]) == ("ready", created["job"])
    assert end["progress"]["done"] == end["progress"]["total"] == document["blocks"]
    assert api.get(f"/api/v1/jobs/{created['job']}").json() == end
    assert created["job"] in [one["id"] for one in api.get("/api/v1/jobs?state=succeeded").json()["items"]]


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_the_python_client_follows_gets_and_cancels(kind: type, stack: Stack) -> None:
    made = kind(stack.url, api_key=stack.api_key)
    with Threads(made) if kind is Client else Asyncio(made) as client:
        document = client.call("create_document", "To be followed by a client.")
        *_, end = client.collect("follow_job", document.job)
        assert (end.state, end.resource) == ("succeeded", f"/api/v1/documents/{document.id}")
        assert client.call("get_job", document.job) == end
        assert [job.version for job in client.collect("follow_job", document.job)] == [end.version]
        with pytest.raises(ApiError, match="succeeded already"):
            client.call("cancel_job", document.job)


def test_the_preview_of_a_new_voice_is_a_job(api: httpx.Client, stack: Stack) -> None:
    with voice(api) as made:
        resource = f"/api/v1/voices/{made['id']}/preview"
        (job,) = [one for one in api.get("/api/v1/jobs").json()["items"] if one["resource"] == resource]
        with followed(api, job["id"]) as follower:
            assert follower.until(*ENDED)["state"] == "succeeded"
        model = made["model"]
        before = metric(stack.url, "lectern_segments_total", source="made", model=model)
        assert api.get(resource).status_code == 200
        assert metric(stack.url, "lectern_segments_total", source="made", model=model) == before


def test_a_job_that_another_process_runs_is_followed_to_its_end(
    own: OwnDatabase, server: httpx.Client, tmp_path: Path
) -> None:
    job = enqueue(own, kinds.HOLD)
    with followed(server, job) as follower:
        assert follower.next()["state"] == "queued"
        with worker(own, tmp_path):
            assert follower.until("running")["started_at"] is not None
            while follower.next()["progress"]["message"] != "Holding":
                pass
            (tmp_path / "release").touch()
            assert follower.until(*ENDED)["state"] == "succeeded"
        with pytest.raises(EOFError):
            follower.next()
    assert follower.ids == sorted(set(follower.ids))


def test_a_reconnected_client_gets_what_is_new_and_nothing_after_the_end(
    own: OwnDatabase, server: httpx.Client
) -> None:
    job = enqueue(own, kinds.HOLD)
    with followed(server, job) as follower:
        follower.next()
    (seen,) = follower.ids
    server.post(f"/api/v1/jobs/{job}/cancel").raise_for_status()
    with followed(server, job, seen) as follower:
        assert follower.next()["state"] == "cancelled"
        with pytest.raises(EOFError):
            follower.next()
    assert follower.ids[0] > seen
    again = server.get(f"/api/v1/jobs/{job}/events", headers={"last-event-id": str(follower.ids[-1])})
    assert (again.status_code, again.content) == (204, b"")


def test_a_client_that_knows_the_latest_hears_of_the_next_change_only(own: OwnDatabase, server: httpx.Client) -> None:
    job = enqueue(own, kinds.HOLD)
    version = server.get(f"/api/v1/jobs/{job}").json()["version"]
    with followed(server, job, version) as follower:
        server.post(f"/api/v1/jobs/{job}/cancel").raise_for_status()
        assert follower.next()["state"] == "cancelled"


def test_a_running_job_is_cancelled_and_its_follower_is_told(
    own: OwnDatabase, server: httpx.Client, tmp_path: Path
) -> None:
    job = enqueue(own, kinds.HOLD)
    with worker(own, tmp_path), followed(server, job) as follower:
        follower.until("running")
        assert server.post(f"/api/v1/jobs/{job}/cancel").status_code == 200
        assert follower.until(*ENDED)["state"] == "cancelled"
    assert server.post(f"/api/v1/jobs/{job}/cancel").status_code == 200


def test_a_finished_job_cannot_be_cancelled(api: httpx.Client) -> None:
    job = documents.make(api, "Cut before anybody can stop it.")["job"]
    with followed(api, job) as follower:
        follower.until("succeeded")
    answer = api.post(f"/api/v1/jobs/{job}/cancel")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert "succeeded already" in answer.json()["detail"]


def test_nobody_elses_job_can_be_seen_followed_or_cancelled(api: httpx.Client, stack: Stack) -> None:
    job = documents.make(api, "Only for its owner.")["job"]
    with other_account(stack) as stranger:
        for answer in (
            stranger.get(f"/api/v1/jobs/{job}"),
            stranger.get(f"/api/v1/jobs/{job}/events"),
            stranger.post(f"/api/v1/jobs/{job}/cancel"),
            stranger.get(f"/api/v1/jobs/{uuid4()}"),
        ):
            assert answer.status_code == 404, answer.text
        assert stranger.get("/api/v1/jobs").json() == {"items": [], "next": None}


def test_the_list_is_paged_and_filtered(own: OwnDatabase, server: httpx.Client) -> None:
    made = [enqueue(own, kinds.HOLD) for _ in range(3)]
    first = server.get("/api/v1/jobs?state=queued&limit=2").json()
    second = server.get(f"/api/v1/jobs?state=queued&limit=2&after={first['next']}").json()
    assert [one["id"] for one in first["items"] + second["items"]][:3] == made[::-1]
    for job in made:
        server.post(f"/api/v1/jobs/{job}/cancel").raise_for_status()
    assert server.get("/api/v1/jobs?state=queued").json()["items"] == []
    assert server.get("/api/v1/jobs?state=waiting").status_code == 400
    assert server.get("/api/v1/jobs?limit=100000").status_code == 400


def test_a_document_whose_job_was_cancelled_has_failed_and_says_so(server: httpx.Client) -> None:
    created = server.post("/api/v1/documents", json={"text": "Never to be cut."}).json()
    server.post(f"/api/v1/jobs/{created['job']}/cancel").raise_for_status()
    document = server.get(f"/api/v1/documents/{created['id']}").json()
    assert (document["status"], "cancelled" in document["error"]) == ("failed", True)
    assert "cancelled" in server.get(f"/api/v1/documents/{created['id']}/audio").json()["detail"]


def test_a_deleted_documents_job_is_cancelled(server: httpx.Client) -> None:
    created = server.post("/api/v1/documents", json={"text": "Deleted before it is cut."}).json()
    server.delete(f"/api/v1/documents/{created['id']}").raise_for_status()
    assert server.get(f"/api/v1/jobs/{created['job']}").json()["state"] == "cancelled"


def test_jobs_that_failed_for_good_are_a_metric(own: OwnDatabase, server: httpx.Client) -> None:
    job = enqueue(own, kinds.FAIL)
    own.execute(f"UPDATE procrastinate_jobs SET status = 'failed' WHERE args ->> 'job' = '{job}'")
    documents.until(lambda: metric(str(server.base_url), "lectern_dead_letters"), lambda dead: dead == 1)
    own.execute("DELETE FROM procrastinate_jobs WHERE status = 'failed'")

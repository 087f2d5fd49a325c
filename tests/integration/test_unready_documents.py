"""What is asked of a document that has no blocks yet, or never will: 409 with what is going on."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration import documents
from tests.integration.own_database import OwnDatabase, own_database, worker
from tests.integration.servers import web_server
from tests.stack import Stack

PATHS = ("audio?model=hum", "audio?model=hum&loudness=-16", "captions?model=hum", "playback?model=hum")


@pytest.fixture(scope="module")
def database(stack: Stack) -> Iterator[OwnDatabase]:
    with own_database(stack) as made:
        yield made


@pytest.fixture(scope="module")
def idle(stack: Stack, database: OwnDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server without a worker: what is handed in stays queued."""
    log: Path = tmp_path_factory.mktemp("idle") / "server.log"
    with web_server(stack, log, DATABASE_URL=database.url) as url:
        headers = {"authorization": f"Bearer {database.api_key}"}
        with httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False) as client:
            yield client


def handed_in(api: httpx.Client) -> str:
    created = api.post("/api/v1/documents", json={"text": "One or two words to be read aloud."})
    assert created.json()["status"] == "queued"
    return str(created.json()["id"])


@pytest.mark.parametrize("path", PATHS)
def test_a_queued_document_is_not_ready_and_that_is_no_silence(idle: httpx.Client, path: str) -> None:
    answer = idle.get(f"/api/v1/documents/{handed_in(idle)}/{path}")
    assert answer.status_code == 409, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["title"], "being cut into blocks" in answer.json()["detail"]) == ("Not ready", True)


@pytest.mark.parametrize("path", PATHS)
def test_a_document_that_failed_says_why(idle: httpx.Client, database: OwnDatabase, path: str) -> None:
    document = handed_in(idle)
    database.execute(f"UPDATE document SET status = 'failed', error = 'The ink is too faint.' WHERE id = '{document}'")
    answer = idle.get(f"/api/v1/documents/{document}/{path}")
    assert answer.status_code == 409, answer.text
    assert "The ink is too faint." in answer.json()["detail"]
    assert "still" not in answer.json()["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_a_document_that_there_is_not_is_not_found(idle: httpx.Client, path: str) -> None:
    assert idle.get(f"/api/v1/documents/00000000-0000-7000-8000-000000000000/{path}").status_code == 404


def test_once_it_is_cut_it_is_heard(idle: httpx.Client, database: OwnDatabase, tmp_path: Path) -> None:
    document = handed_in(idle)
    assert idle.get(f"/api/v1/documents/{document}/audio?model=hum").status_code == 409
    with worker(database, tmp_path / "worker.log"):
        assert documents.wait(idle, document)["status"] == "ready"
    assert idle.get(f"/api/v1/documents/{document}/audio?model=hum").status_code == 200
    assert idle.get(f"/api/v1/documents/{document}/captions?model=hum").status_code == 200

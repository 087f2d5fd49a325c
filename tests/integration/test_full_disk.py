"""On a full disk speech goes on, what cannot be stored is refused with the reason, what was accepted is not lost."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.custom_voices import upload
from tests.integration.servers import web_server
from tests.recordings import file, tone
from tests.small_disk import filled, small_disk
from tests.stack import Stack, started_stack, temporary_home

SPEECH = {"model": "espeak", "input": "A full disk takes nobody's voice away.", "response_format": "wav"}
STATUS_OF_FULL = 507
WORDS = "All work and no play makes a disk full. " * 8_000


def test_what_a_full_store_cannot_take_is_refused_with_the_reason(stack: Stack, tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", megabytes=16) as disk,
        web_server(stack, tmp_path / "web.log", STORE_URL=disk.as_uri()) as url,
        stack.http() as client,
    ):
        client.base_url = httpx.URL(url)
        with filled(disk):
            assert speak(client).status_code == 200
            refused = upload(client, file(tone(310)))
            assert refused.status_code == STATUS_OF_FULL, refused.text
            assert refused.json()["type"] == "urn:lectern:problem:storage-full"
            assert "disk of the audio store is full" in refused.json()["detail"]
            until(lambda: unready(client) == {"store": refused.json()["detail"]}, "unready, with the reason")
            assert client.post("/api/v1/documents", json={"text": "Words.", "format": "text"}).status_code == 201
        until(lambda: client.get("/readyz").is_success, "ready again")
        made = upload(client, file(tone(310)))
        assert made.status_code == 201, made.text
        assert client.delete(f"/api/v1/voices/{made.json()['id']}").status_code == 204


@pytest.mark.long
def test_nothing_is_lost_where_the_database_and_all_else_are_on_a_full_disk() -> None:
    """A whole stack, whose home is the disk: Postgres, the store and the logs."""
    with (
        temporary_home() as folder,
        small_disk(folder, megabytes=700) as disk,
        started_stack(disk / "home", LECTERN_MODELS="espeak") as stack,
        stack.http() as client,
    ):
        accepted = [make(client).json()["id"]]
        assert speak(client).status_code == 200
        with filled(disk):
            answers = [make(client)]
            end = time.monotonic() + 60
            while answers[-1].status_code == 201:
                assert time.monotonic() < end, "the disk is not full"
                answers.append(make(client))
            answers += [make(client) for _ in range(3)]
            assert {answer.status_code for answer in answers} <= {201, 503, STATUS_OF_FULL}
            reasons = {answer.json()["detail"] for answer in answers if answer.status_code != 201}
            assert all("database" in reason for reason in reasons)
            accepted += [answer.json()["id"] for answer in answers if answer.status_code == 201]
            until(lambda: "disk of the database" in unready(client).get("database", ""), "unready, with the reason")
            spoken = client.post("/v1/audio/speech", json={**SPEECH, "input": "Another sentence."})
            assert spoken.status_code == 200, spoken.text
        until(stack.is_ready, "ready again")
        for document in accepted:
            until(lambda document=document: status(client, document) == "ready", "each accepted document is cut")  # type: ignore[misc]
        assert make(client).status_code == 201


def make(client: httpx.Client) -> httpx.Response:
    return client.post("/api/v1/documents", json={"text": WORDS, "format": "text"})


def speak(client: httpx.Client) -> httpx.Response:
    return client.post("/v1/audio/speech", json=SPEECH)


def unready(client: httpx.Client) -> dict[str, str]:
    """What is not ready, with the reason."""
    return {check["name"]: check["detail"] for check in client.get("/readyz").json()["checks"] if not check["ok"]}


def status(client: httpx.Client, document: str) -> Any:
    answer = client.get(f"/api/v1/documents/{document}")
    return answer.json()["status"] if answer.is_success else answer.status_code


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, f"not within 120 s: {what}"
        time.sleep(0.2)

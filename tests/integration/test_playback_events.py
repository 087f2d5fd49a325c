"""A document played over server-sent events, with positions by plain requests, also to another process."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from orchestrator.lib import database
from orchestrator.lib.pubsub import APPLICATION
from tests.integration.audio import decode
from tests.integration.listening import document_of, event_listener, events_url, is_state, states, wait
from tests.integration.metrics import metric
from tests.integration.servers import web_server
from tests.stack import Stack


@pytest.fixture(scope="module")
def other(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of another process than the one that plays."""
    with web_server(stack, tmp_path_factory.mktemp("other") / "web.log") as url:
        headers = {"authorization": f"Bearer {stack.api_key}"}
        with httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False) as client:
            yield client


def put(api: httpx.Client, document: str, **position: Any) -> httpx.Response:
    return api.put(f"/api/v1/documents/{document}/position", json=position)


def test_events_tell_the_states_of_each_block(api: httpx.Client) -> None:
    document, *blocks = document_of(api, 3)
    with event_listener(api, document, voice="slow", window=4, response_format="wav") as player:
        assert player.answer.headers["content-type"].startswith("text/event-stream")
        first = player.next()
        assert (first["type"], first["total"], first["begin"]["block"]) == ("playback", 3, blocks[0])
        ready = player.ready(blocks[0])
        assert states(player.heard, blocks[0]) == ["queued", "making", "ready"]
        assert player.ids == list(range(1, len(player.heard) + 1))
        samples, rate = decode(api.get(ready["url"]).raise_for_status().content)
        assert len(samples) / rate == pytest.approx(ready["seconds"], abs=0.01)


def test_a_position_moves_the_playback_of_another_process(api: httpx.Client, other: httpx.Client) -> None:
    document, *blocks = document_of(api, 10)
    with event_listener(api, document, voice="silent", window=4) as player:
        player.until(is_state(blocks[0], "making"))
        answer = put(other, document, block=blocks[7], seconds=0.5)
        assert answer.status_code == 200
        assert (answer.json()["block"], answer.json()["seconds"]) == (blocks[7], 0.5)
        player.until(is_state(blocks[0], "dropped"))
        player.until(is_state(blocks[7], "making"))
        put(api, document, block=blocks[3]).raise_for_status()  # and of the same process
        player.until(is_state(blocks[7], "dropped"))
        player.until(is_state(blocks[3], "making"))


def test_a_name_moves_one_playback_only(api: httpx.Client, other: httpx.Client) -> None:
    document, *blocks = document_of(api, 10)
    with (
        event_listener(api, document, voice="hum", window=1, session="phone") as phone,
        event_listener(api, document, voice="hum", window=1, session="desk") as desk,
    ):
        for player in (phone, desk):
            player.ready(blocks[0])
        put(other, document, block=blocks[4], session="phone").raise_for_status()
        phone.ready(blocks[4])
        put(other, document, block=blocks[6], session="desk").raise_for_status()
        desk.ready(blocks[6])
        put(other, document, block=blocks[8]).raise_for_status()  # both
        for player in (phone, desk):
            player.ready(blocks[8])
        assert states(desk.heard, blocks[4]) == []
        assert states(phone.heard, blocks[6]) == []


def test_reconnecting_resumes(api: httpx.Client, other: httpx.Client) -> None:
    document, *blocks = document_of(api, 4)
    with event_listener(api, document, voice="hum"):
        put(api, document, block=blocks[2], seconds=1.5).raise_for_status()
    assert other.get(f"/api/v1/documents/{document}/position").json()["block"] == blocks[2]
    with event_listener(other, document, voice="hum") as player:
        assert player.next()["begin"] == {"block": blocks[2], "seconds": 1.5}
    with event_listener(other, document, voice="hum", block=blocks[1], seconds=0.25) as player:
        assert player.next()["begin"] == {"block": blocks[1], "seconds": 0.25}


def test_a_client_that_leaves_frees_everything(stack: Stack, api: httpx.Client) -> None:
    document, *blocks = document_of(api, 4)
    before = metric(stack.url, "lectern_syntheses_cancelled_total", model="hum")
    with event_listener(api, document, voice="silent", window=30) as player:
        player.until(is_state(blocks[2], "making"))
        assert metric(stack.url, "lectern_playbacks", transport="events") == 1
    wait(
        lambda: metric(stack.url, "lectern_syntheses_cancelled_total", model="hum") >= before + 3,
        "the work was not stopped",
    )
    assert metric(stack.url, "lectern_playbacks", transport="events") == 0


@pytest.mark.anyio
@pytest.mark.usefixtures("connected")
async def test_positions_stored_while_pubsub_was_disconnected_are_caught_up_with(
    api: httpx.Client, other: httpx.Client
) -> None:
    document, *blocks = document_of(api, 8)
    with event_listener(api, document, voice="hum", window=1) as player:
        player.ready(blocks[0])
        gone = await database.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = {}", APPLICATION
        )
        assert len(gone) >= 2, "no process listened"
        put(other, document, block=blocks[5]).raise_for_status()
        player.ready(blocks[5])
        put(other, document, block=blocks[7]).raise_for_status()
        player.ready(blocks[7])


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "unknown parameter": ({"windw": 3}, 400, "window"),
    "a window too large": ({"window": 100_000}, 400, "window"),
    "seconds without a block": ({"seconds": 3}, 400, "block"),
    "seconds before the start": ({"block": str(uuid4()), "seconds": -1}, 400, "seconds"),
    "seconds that are no number": ({"block": str(uuid4()), "seconds": "nan"}, 400, "seconds"),
    "unknown block": ({"block": str(uuid4())}, 404, "block"),
    "a strange name": ({"session": "two words"}, 400, "session"),
    "unknown voice": ({"voice": "hmm"}, 400, "hmm"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_playback_that_cannot_be_opened_is_refused(api: httpx.Client, case: str) -> None:
    document, _ = document_of(api, 1)
    query, status, hint = REFUSED[case]
    with event_listener(api, document, **query) as refused:
        assert refused.answer.status_code == status, refused.answer.headers
        assert hint in refused.answer.json()["detail"]


def test_an_unknown_document_is_refused(api: httpx.Client) -> None:
    assert api.get(events_url(str(uuid4()))).status_code == 404
    assert api.get(f"/api/v1/documents/{uuid4()}/position").status_code == 404
    assert put(api, str(uuid4()), block=str(uuid4())).status_code == 404


BAD_POSITIONS: dict[str, tuple[dict[str, Any], int]] = {
    "unknown block": ({"block": str(uuid4())}, 404),
    "no block": ({}, 400),
    "before the start": ({"block": str(uuid4()), "seconds": -1}, 400),
    "unknown field": ({"block": str(uuid4()), "second": 1}, 400),
    "a strange name": ({"block": str(uuid4()), "session": "a b"}, 400),
}


@pytest.mark.parametrize("case", BAD_POSITIONS)
def test_a_bad_position_is_refused(api: httpx.Client, case: str) -> None:
    document, _ = document_of(api, 1)
    position, status = BAD_POSITIONS[case]
    answer = put(api, document, **position)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def test_a_document_that_was_listened_to_can_be_deleted(api: httpx.Client) -> None:
    document, *blocks = document_of(api, 2)
    put(api, document, block=blocks[1]).raise_for_status()
    assert api.delete(f"/api/v1/documents/{document}").is_success
    assert api.get(f"/api/v1/documents/{document}/position").status_code == 404

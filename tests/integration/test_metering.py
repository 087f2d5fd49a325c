"""Whatever the route, each segment that is heard is counted once: made, joined or cached."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from lectern.triton import Triton
from lectern_contract import PAUSES, SILENCE_BEFORE, SILENCE_BEHIND
from tests.integration import documents, held
from tests.integration.listening import event_listener, socket_listener
from tests.integration.own_database import OwnDatabase, own_database, worker
from tests.integration.servers import web_server
from tests.stack import Stack

HUM = {"model": "hum", "voice": "hum"}
CACHED = "SELECT FROM usage JOIN cached_segment USING (segment_key)"


class Counted(NamedTuple):
    source: str
    characters: int
    seconds: object
    made_seconds: object


class Server(NamedTuple):
    api: httpx.Client
    url: str
    database: OwnDatabase


@pytest.fixture(scope="module")
def server(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    logs: Path = tmp_path_factory.mktemp("metered")
    with (
        own_database(stack) as database,
        worker(database, logs / "worker.log"),
        web_server(stack, logs / "web.log", DATABASE_URL=database.url) as url,
        httpx.Client(
            base_url=url, headers={"authorization": f"Bearer {database.api_key}"}, timeout=120, trust_env=False
        ) as api,
    ):
        yield Server(api, url, database)


@pytest.fixture
def triton(stack: Stack) -> Iterator[Triton]:
    with Triton(stack.triton_address) as client:
        yield client


@pytest.fixture
def counted(server: Server) -> Callable[[int], list[Counted]]:
    """Returns what is counted of this test's requests, once it is this many sources of segments."""
    server.database.execute("DELETE FROM usage")

    def read(sources: int) -> list[Counted]:
        statement = (
            "SELECT source, sum(characters)::int AS characters, sum(seconds) AS seconds,"
            " sum(made_seconds) AS made_seconds FROM usage GROUP BY source ORDER BY source DESC"
        )
        rows = documents.until(lambda: server.database.fetch(statement), lambda found: len(found) == sources)
        return [Counted(*row.values()) for row in rows]

    return read


def speech(server: Server, text: str, **fields: Any) -> None:
    server.api.post("/v1/audio/speech", json={**HUM, "input": text, **fields}).raise_for_status()


def captions(server: Server, text: str) -> None:
    server.api.post("/v1/audio/captions", json={**HUM, "input": text}).raise_for_status()


def block(server: Server, method: str, text: str, **headers: str) -> None:
    document = documents.make(server.api, text)["id"]
    (one,) = documents.blocks(server.api, document)
    url = f"/api/v1/documents/{document}/blocks/{one['id']}/audio"
    server.api.request(method, url, params=HUM, headers=headers).raise_for_status()


def document(server: Server, what: str, text: str) -> None:
    made = documents.make(server.api, text)["id"]
    server.api.get(f"/api/v1/documents/{made}/{what}", params=HUM).raise_for_status()


def played(server: Server, text: str, *, by_socket: bool) -> None:
    """As a player does it: follows the playback, and fetches what it is told of."""
    made = documents.make(server.api, text)["id"]
    (one,) = documents.blocks(server.api, made)
    if by_socket:
        with socket_listener(server.url, server.database.api_key, made) as listener:
            url = listener.ready(one["id"])["url"]
            server.api.get(url).raise_for_status()
    else:
        with event_listener(server.api, made) as events:
            url = events.ready(one["id"])["url"]
            server.api.get(url).raise_for_status()


ROUTES: dict[str, Callable[[Server, str], None]] = {
    "speech": speech,
    "speech as events": lambda server, text: speech(server, text, stream_format="sse"),
    "speech with a loudness": lambda server, text: speech(server, text, loudness=-16),
    "captions": captions,
    "a block": lambda server, text: block(server, "GET", text),
    "a part of a block": lambda server, text: block(server, "GET", text, range="bytes=0-99"),
    "HEAD of a block": lambda server, text: block(server, "HEAD", text),
    "a document": lambda server, text: document(server, "audio", text),
    "a document's captions": lambda server, text: document(server, "captions", text),
    "playback by socket": lambda server, text: played(server, text, by_socket=True),
    "playback by events": lambda server, text: played(server, text, by_socket=False),
}


WITH_A_PAUSE = ("a block", "a part of a block", "HEAD of a block", "playback by socket", "playback by events")
"""Routes to a block alone, which ends with the pause in front of the next one."""


@pytest.mark.parametrize("route", ROUTES)
def test_what_is_heard_is_counted_once_as_made_and_again_as_cached(
    server: Server, counted: Callable[[int], list[Counted]], route: str
) -> None:
    text = f"Nobody has counted {uuid4().hex} yet."
    pause = PAUSES["paragraph"] - SILENCE_BEHIND - SILENCE_BEFORE if route in WITH_A_PAUSE else 0.0
    seconds = pytest.approx(len(text) / 10 + pause, abs=0.01)
    ROUTES[route](server, text)
    made = Counted("made", len(text), seconds, pytest.approx(len(text) / 10, abs=0.01))
    assert counted(1) == [made]
    documents.until(lambda: server.database.fetch(CACHED), bool)
    ROUTES[route](server, text)
    assert counted(2) == [made, Counted("cached", len(text), seconds, 0.0)]


def test_previews_are_counted(server: Server) -> None:
    server.database.execute("DELETE FROM usage")
    for _ in range(2):
        server.api.get("/v1/audio/voices/preview", params=HUM).raise_for_status()
    statement = "SELECT sum(segments)::int AS segments, min(characters) AS characters FROM usage"
    (row,) = documents.until(lambda: server.database.fetch(statement), lambda rows: rows[0]["segments"] == 2)
    assert row["characters"] >= len("This is how I sound.")


def test_who_joins_is_told_apart_from_who_has_it_made(
    server: Server, triton: Triton, counted: Callable[[int], list[Counted]]
) -> None:
    word = uuid4().hex
    text = f"Two hear {word} at once."
    both = [threading.Thread(target=speech, args=(server, text), kwargs={"voice": "holding"}) for _ in range(2)]
    both[0].start()
    held.until_begun(triton, word)
    both[1].start()
    metrics = 'lectern_segments_total{model="hum",source="merged"}'
    documents.until(lambda: server.api.get("/metrics").text, lambda page: metrics in page)
    held.release(triton, word)
    for one in both:
        one.join(held.LIMIT)
    seconds = pytest.approx(len(text) / 10, abs=0.01)
    assert counted(2) == [Counted("made", len(text), seconds, seconds), Counted("joined", len(text), seconds, 0.0)]


def test_who_leaves_in_the_middle_is_counted_by_what_was_made(
    server: Server, triton: Triton, counted: Callable[[int], list[Counted]]
) -> None:
    word = uuid4().hex
    text = f"Somebody leaves while {word} is spoken."
    body = {"model": "hum", "voice": "holding", "input": text, "response_format": "pcm"}
    with server.api.stream("POST", "/v1/audio/speech", json=body) as answer:
        first = next(answer.iter_raw())
    held.until_all_stopped(triton, word, 1)
    (left,) = counted(1)
    assert (left.source, left.characters) == ("made", len(text))
    assert isinstance(left.seconds, float)
    assert left.seconds == left.made_seconds
    assert len(first) / 2 / 24_000 <= left.seconds < len(text) / 10


def test_a_listener_who_asks_for_a_block_in_many_ways_is_counted_once(
    server: Server,
) -> None:
    server.database.execute("DELETE FROM usage")
    text = f"One listener hears {uuid4().hex} all day."
    made = documents.make(server.api, text)["id"]
    (one,) = documents.blocks(server.api, made)
    url = f"/api/v1/documents/{made}/blocks/{one['id']}/audio"
    for method, headers in [("HEAD", {}), ("GET", {}), ("GET", {"range": "bytes=0-9"}), ("GET", {"range": "bytes=9-"})]:
        server.api.request(method, url, params=HUM, headers=headers).raise_for_status()
    for what in ("audio?model=hum", "audio?model=hum&loudness=-20", "captions?model=hum"):
        server.api.get(f"/api/v1/documents/{made}/{what}").raise_for_status()
    speech(server, f"And another thing, {uuid4().hex}.")  # what is written after all that came before
    documents.until(
        lambda: server.database.fetch("SELECT source, segments FROM usage ORDER BY id"), lambda rows: len(rows) == 2
    )
    assert [row["source"] for row in server.database.fetch("SELECT source FROM usage")] == ["made", "made"]


def test_every_response_that_has_ended_is_written_down(server: Server, counted: Callable[[int], list[Counted]]) -> None:
    text = f"This has ended, {uuid4().hex}."
    events = server.api.post("/v1/audio/speech", json={**HUM, "input": text, "stream_format": "sse"}).text
    rows = server.database.fetch("SELECT seconds FROM usage")  # at once
    usage = json.loads(events.strip().split("\n\n")[-1].removeprefix("data: "))["usage"]
    assert [row["seconds"] for row in rows] == [pytest.approx(usage["seconds"], abs=0.001)]
    assert counted(1)

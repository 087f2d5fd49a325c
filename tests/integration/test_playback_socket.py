"""A document played over a WebSocket: the states of its blocks, and the messages of the listener."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.integration import documents
from tests.integration.audio import decode
from tests.integration.listening import SocketListener, document_of, is_state, socket_listener, wait
from tests.integration.metrics import metric
from tests.integration.servers import web_server
from tests.stack import Stack


def cancelled(url: str) -> float:
    return metric(url, "lectern_syntheses_cancelled_total", model="hum")


def made(url: str) -> float:
    return metric(url, "lectern_segments_total", model="hum", source="made")


@pytest.fixture(scope="module")
def narrow_server(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that makes one segment at a time and accepts two playbacks."""
    log = tmp_path_factory.mktemp("narrow") / "web.log"
    with web_server(stack, log, LECTERN_MODEL_SLOTS="hum=1", LECTERN_PLAYBACKS_PER_ACCOUNT="2") as url:
        yield url


def test_blocks_go_through_their_states_and_their_audio_is_there(stack: Stack, api: httpx.Client) -> None:
    document, *blocks = document_of(api, 4)
    with socket_listener(stack.url, stack.api_key, document, voice="slow", response_format="flac", window=4) as player:
        first = player.next()
        assert (first["type"], first["document"], first["total"], first["window"]) == ("playback", document, 4, 4)
        assert [block["id"] for block in first["blocks"]] == blocks
        assert [block["position"] for block in first["blocks"]] == [0, 1, 2, 3]
        assert all(1 < block["seconds"] < 10 for block in first["blocks"])
        assert first["begin"] == {"block": blocks[0], "seconds": 0}
        ready = player.ready(blocks[0])
        assert player.states(blocks[0]) == ["queued", "making", "ready"]
        player.ready(blocks[1])
        assert player.states(blocks[2]) == player.states(blocks[3]) == []  # beyond the window

    whole = api.get(ready["url"])
    assert whole.status_code == 200
    samples, rate = decode(whole.content)
    assert len(samples) / rate == pytest.approx(ready["seconds"], abs=0.01)
    assert "immutable" in whole.headers["cache-control"]
    assert api.get(ready["url"], headers={"if-none-match": whole.headers["etag"]}).status_code == 304
    part = api.get(ready["url"], headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    head = api.head(ready["url"])
    assert (head.status_code, int(head.headers["content-length"])) == (200, len(whole.content))


def test_cached_blocks_are_ready_at_once(stack: Stack, api: httpx.Client) -> None:
    document, *blocks = document_of(api, 2)
    with socket_listener(stack.url, stack.api_key, document, voice="hum") as player:
        url = player.ready(blocks[0])["url"]
        player.ready(blocks[1])
    before = made(stack.url)
    with socket_listener(stack.url, stack.api_key, document, voice="hum") as player:
        assert player.ready(blocks[0])["url"] == url
        player.ready(blocks[1])
        assert player.states(blocks[0]) == player.states(blocks[1]) == ["ready"]
    assert made(stack.url) == before


def test_the_window_slides_with_the_position(stack: Stack, api: httpx.Client) -> None:
    document, *blocks = document_of(api, 6)
    with socket_listener(stack.url, stack.api_key, document, voice="hum", window=1) as player:
        for block in blocks[:4]:
            player.send(type="position", block=block, seconds=0.1)
            player.ready(block)
        assert player.states(blocks[4]) == player.states(blocks[5]) == []
        player.send(type="position", block=blocks[3], seconds=2.9)
        player.ready(blocks[4])


def test_a_jump_drops_queued_work_and_goes_on_at_the_new_position(
    stack: Stack, api: httpx.Client, narrow_server: str
) -> None:
    document, *blocks = document_of(api, 12)
    before, made_before = cancelled(narrow_server), made(narrow_server)
    with socket_listener(narrow_server, stack.api_key, document, voice="silent", window=30) as player:
        player.until(is_state(blocks[0], "making"))
        wait(lambda: waiting(narrow_server) == 2, "the blocks ahead did not queue")
        assert player.states(blocks[1]) in ([], ["queued"])
        player.send(type="position", block=blocks[8])
        for block in blocks[:4]:  # three in progress, and the one after them
            player.until(is_state(block, "dropped"))
        player.until(is_state(blocks[8], "making"))
        wait(lambda: cancelled(narrow_server) >= before + 3, "the work was not stopped")
        wait(lambda: waiting(narrow_server) == 2, "the blocks at the new position did not queue")
        assert "making" not in player.states(blocks[1])
        player.send(type="stop")
        wait(lambda: cancelled(narrow_server) >= before + 6, "the work was not stopped")
        assert waiting(narrow_server) == 0
    assert made(narrow_server) == made_before


def waiting(url: str) -> float:
    return metric(url, "lectern_segments_waiting", model="hum")


def test_a_client_that_vanishes_frees_everything(stack: Stack, api: httpx.Client) -> None:
    document, *blocks = document_of(api, 5)
    before, open_before = cancelled(stack.url), metric(stack.url, "lectern_playbacks", transport="socket")
    with socket_listener(stack.url, stack.api_key, document, voice="silent", window=30) as player:
        player.until(is_state(blocks[2], "making"))
        assert metric(stack.url, "lectern_playbacks", transport="socket") == open_before + 1
        player.connection.socket.shutdown(socket.SHUT_RDWR)  # no closing handshake
        wait(lambda: cancelled(stack.url) >= before + 3, "the work was not stopped")
        wait(
            lambda: metric(stack.url, "lectern_playbacks", transport="socket") == open_before,
            "the playback is still counted",
        )


def test_reconnecting_resumes(stack: Stack, api: httpx.Client) -> None:
    document, *blocks = document_of(api, 4)
    address = f"/api/v1/documents/{document}/position"
    assert api.get(address).status_code == 404
    with socket_listener(stack.url, stack.api_key, document, voice="hum") as player:
        player.next()
        player.send(type="position", block=blocks[1], seconds=0.5)
        player.send(type="position", block=blocks[2], seconds=1.25)
    wait(lambda: api.get(address).json().get("block") == blocks[2], "the last position was not stored")
    assert api.get(address).json()["seconds"] == 1.25
    with socket_listener(stack.url, stack.api_key, document, voice="hum") as player:
        assert player.next()["begin"] == {"block": blocks[2], "seconds": 1.25}
        player.ready(blocks[2])
        assert player.states(blocks[0]) == []
    with socket_listener(stack.url, stack.api_key, document, voice="hum", block=blocks[3]) as player:
        assert player.next()["begin"] == {"block": blocks[3], "seconds": 0}


def test_a_position_in_a_silent_block_means_the_next_spoken_one(stack: Stack, api: httpx.Client) -> None:
    text = f"First {uuid4().hex}.\n\n```\ncode\n```\n\nLast {uuid4().hex}.\n\n```\nmore code\n```"
    document = documents.make(api, text)
    first, silent, last, end = (block["id"] for block in documents.blocks(api, document["id"]))
    with socket_listener(stack.url, stack.api_key, document["id"], voice="hum", block=silent, seconds=3) as player:
        opening = player.next()
        assert [block["id"] for block in opening["blocks"]] == [first, last]
        assert opening["begin"] == {"block": last, "seconds": 0}
        player.ready(last)
    with socket_listener(stack.url, stack.api_key, document["id"], voice="hum", block=end) as player:
        assert player.next()["begin"] is None


def test_a_block_that_fails_says_why_and_can_be_asked_for_again(stack: Stack, api: httpx.Client) -> None:
    document, block = document_of(api, 1)
    with socket_listener(stack.url, stack.api_key, document, voice="failing") as player:
        error = player.until(is_state(block, "failed"))["error"]
        assert (error["status"], error["type"]) == (502, "urn:lectern:problem:model-failed")
        player.send(type="retry", block=block)
        player.until(is_state(block, "queued"))
        player.until(is_state(block, "failed"))


BAD_MESSAGES: dict[str, tuple[str | bytes, str]] = {
    "not JSON": ("hello", "malformed"),
    "empty": ("", "truncated"),
    "not an object": ("[1]", "object"),
    "no type": ('{"block": "x"}', "type"),
    "unknown type": ('{"type": "play"}', "play"),
    "unknown field": ('{"type": "stop", "now": true}', "now"),
    "no block": ('{"type": "position", "seconds": 1}', "block"),
    "not an id": ('{"type": "position", "block": "first"}', "block"),
    "before the start": (f'{{"type": "position", "block": "{uuid4()}", "seconds": -1}}', "seconds"),
    "seconds as a word": (f'{{"type": "position", "block": "{uuid4()}", "seconds": "two"}}', "seconds"),
    "not a number": (f'{{"type": "position", "block": "{uuid4()}", "seconds": NaN}}', "malformed"),
    "another document's block": (f'{{"type": "position", "block": "{uuid4()}"}}', "no block"),
    "nested deeply": ("[" * 2_000, "cannot be used"),
    "binary": (b'{"type": "stop"}', "text"),
}


def test_bad_messages_get_a_sentence_and_the_socket_stays(stack: Stack, api: httpx.Client) -> None:
    document, block = document_of(api, 1)
    with socket_listener(stack.url, stack.api_key, document, voice="hum") as player:
        for case, (message, hint) in BAD_MESSAGES.items():
            player.connection.send(message)
            error = player.until(lambda heard: heard["type"] == "error")["error"]
            assert hint in error["detail"], (case, error)
            assert error["status"] in (400, 404), (case, error)
        player.send(type="retry", block=block)
        player.ready(block)


def closing(player: SocketListener) -> tuple[int, str]:
    """Returns the close code and the reason, after the messages before them."""
    try:
        while True:
            player.next()
    except ConnectionClosed as closed:
        return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "it was lost")


def test_a_message_that_is_too_large_closes_the_socket(stack: Stack, api: httpx.Client) -> None:
    document, _ = document_of(api, 1)
    with socket_listener(stack.url, stack.api_key, document, voice="hum") as player:
        player.send(type="stop", padding="x" * 5_000)
        assert closing(player)[0] == 1009


def test_too_many_messages_close_the_socket(stack: Stack, api: httpx.Client) -> None:
    document, _ = document_of(api, 1)
    with socket_listener(stack.url, stack.api_key, document, voice="hum") as player:
        try:
            for _ in range(2_000):
                player.send(type="stop")
        except ConnectionClosed:
            pass  # it closed before all were sent
        code, reason = closing(player)
        assert code == 4429
        assert "messages" in reason


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "unknown parameter": ({"windw": 3}, 4400, "window"),
    "a window too large": ({"window": 100_000}, 4400, "window"),
    "no window": ({"window": 0}, 4400, "window"),
    "a window that is no number": ({"window": "wide"}, 4400, "window"),
    "a speed beyond the highest": ({"speed": 9}, 4400, "speed"),
    "no speed": ({"speed": 0}, 4400, "speed"),
    "unknown voice": ({"voice": "hmm"}, 4400, "hmm"),
    "unknown format": ({"response_format": "ogg"}, 4400, "response_format"),
    "seconds without a block": ({"seconds": 3}, 4400, "block"),
    "unknown block": ({"block": str(uuid4())}, 4404, "block"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_playback_that_cannot_be_opened_is_refused_with_a_reason(stack: Stack, api: httpx.Client, case: str) -> None:
    document, _ = document_of(api, 1)
    query, code, hint = REFUSED[case]
    with socket_listener(stack.url, stack.api_key, document, **query) as player:
        closed = closing(player)
        assert closed[0] == code, closed
        (error,) = player.heard
        assert hint in error["error"]["detail"]
        assert closed[1].removesuffix("…") in error["error"]["detail"]


@pytest.mark.parametrize("key", [None, "", "lectern_wrong"])
def test_without_a_good_key_the_socket_is_closed(stack: Stack, api: httpx.Client, key: str | None) -> None:
    document, _ = document_of(api, 1)
    with socket_listener(stack.url, key, document) as player:
        code, reason = closing(player)
        assert code == 4401
        assert "key" in reason.lower()


def test_an_unknown_document_or_address_closes_the_socket(stack: Stack) -> None:
    with socket_listener(stack.url, stack.api_key, str(uuid4())) as player:
        assert closing(player)[0] == 4404
    headers = {"authorization": f"Bearer {stack.api_key}"}
    with connect(stack.url.replace("http", "ws", 1) + "/nowhere", additional_headers=headers, proxy=None) as nowhere:
        assert closing(SocketListener(nowhere))[0] == 4404


def test_a_browser_sends_its_key_among_the_subprotocols(stack: Stack, api: httpx.Client) -> None:
    document, _ = document_of(api, 1)
    address = f"{stack.url.replace('http', 'ws', 1)}/api/v1/documents/{document}/playback/socket?model=hum"
    offered: list[Any] = ["lectern", f"lectern.key.{stack.api_key}"]
    with connect(address, subprotocols=offered, proxy=None) as connection:
        assert connection.subprotocol == "lectern"
        assert json.loads(connection.recv(timeout=30))["type"] == "playback"
    offered = ["lectern", "lectern.key.lectern_wrong"]
    with connect(address, subprotocols=offered, proxy=None) as connection:
        assert connection.subprotocol == "lectern"  # else the browser would not tell of the close
        assert closing(SocketListener(connection))[0] == 4401


def test_the_playbacks_of_an_account_are_limited(stack: Stack, api: httpx.Client, narrow_server: str) -> None:
    document, _ = document_of(api, 1)
    with (
        socket_listener(narrow_server, stack.api_key, document) as one,
        socket_listener(narrow_server, stack.api_key, document) as two,
    ):
        assert one.next()["type"] == two.next()["type"] == "playback"
        with socket_listener(narrow_server, stack.api_key, document) as three:
            assert closing(three)[0] == 4429
    wait(lambda: metric(narrow_server, "lectern_playbacks") == 0, "the playbacks are still counted")
    with socket_listener(narrow_server, stack.api_key, document) as again:
        assert again.next()["type"] == "playback"


def test_sockets_leave_a_count_and_an_id(stack: Stack, api: httpx.Client) -> None:
    document, _ = document_of(api, 1)
    path = "/api/v1/documents/{document_id}/playback/socket"

    def count() -> float:
        return metric(stack.url, "lectern_sockets_total", path=path, code="1000")

    before = count()
    with socket_listener(stack.url, stack.api_key, document) as player:
        assert player.connection.response is not None
        assert player.connection.response.headers["x-request-id"]
    wait(lambda: count() > before, "the socket was not counted")  # one of an earlier test may come late


def test_a_playback_waits_for_a_busy_model_and_tells_the_listener(
    stack: Stack, api: httpx.Client, tmp_path: Path
) -> None:
    """There is one place, and another listener has it."""
    document, block = document_of(api, 1)
    others, *_ = document_of(api, 1)
    settings = {"LECTERN_MODEL_SLOTS": "hum=1", "LECTERN_ADMISSION_WAIT": "0"}
    with web_server(stack, tmp_path / "web.log", **settings) as url:
        stream = f"{url}/api/v1/documents/{others}/audio"
        with api.stream("GET", stream, params={"model": "hum", "voice": "holding"}) as other:
            sound = other.iter_raw()  # which, once nothing refers to it, closes the response
            next(sound)
            with socket_listener(url, stack.api_key, document, voice="hum") as player:
                told = player.until(lambda message: "retry_after" in message)
                assert (told["block"], told["state"], told["error"]["status"]) == (block, "queued", 503)
                other.close()
                player.ready(block)
                assert "failed" not in player.states(block)


def test_a_server_that_stops_tells_its_listeners(stack: Stack, api: httpx.Client, tmp_path: Path) -> None:
    document, *blocks = document_of(api, 2)
    with web_server(stack, tmp_path / "web.log") as url:
        listening = socket_listener(url, stack.api_key, document, voice="silent")
        player = listening.__enter__()
        player.until(is_state(blocks[0], "making"))
    assert closing(player)[0] == 1012
    listening.__exit__(None, None, None)

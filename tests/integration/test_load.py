"""A server whose model has two places: who waits, who overtakes, who is refused, and what holds nobody back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from lectern.triton import Triton
from tests.integration import documents, held
from tests.integration.metrics import metric
from tests.integration.servers import together, web_server
from tests.own_triton import until
from tests.stack import Stack

LONG = 600.0  # seconds; nothing here takes that long, and this machine may be busy
TWO_PLACES = {"LECTERN_MODEL_SLOTS": "hum=2", "LECTERN_ADMISSION_WAIT": str(LONG), "LECTERN_SPEECH_DEADLINE": str(LONG)}


@pytest.fixture(scope="module")
def url(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with web_server(stack, tmp_path_factory.mktemp("load") / "log", **TWO_PLACES) as url:
        yield url


@pytest.fixture(scope="module")
def hasty_url(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server where few may wait for admission, and not for long."""
    limits = TWO_PLACES | {"LECTERN_ADMISSION_WAIT": "0.5", "LECTERN_ADMISSION_QUEUE": "1"}
    with web_server(stack, tmp_path_factory.mktemp("hasty") / "log", **limits) as url:
        yield url


@pytest.fixture
def api(stack: Stack, url: str) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {stack.api_key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False) as client:
        yield client
    until(lambda: taken(url, "live") + taken(url, "batch") == 0, "all places are free")


def request(voice: str = "hum", **more: Any) -> dict[str, Any]:
    text = f"Nobody has ever heard {uuid4().hex} hummed."
    return {"model": "hum", "voice": voice, "input": text, "response_format": "wav", **more}


def taken(url: str, lane: str) -> float:
    return metric(url, "lectern_slots_in_use", model="hum", lane=lane)


def occupy(api: httpx.Client, places: ExitStack, count: int, **more: Any) -> list[dict[str, Any]]:
    """Begins responses that end when they are left; returns what was asked."""
    asked = [request("holding", **more) for _ in range(count)]
    for body in asked:
        answer = places.enter_context(api.stream("POST", "/v1/audio/speech", json=body))
        assert answer.status_code == 200
        audio = answer.iter_raw()
        next(audio)
        places.callback(list, [audio])  # keeps it until then: an iterator that is thrown away ends the response
    return asked


@pytest.fixture
def hasty(stack: Stack, hasty_url: str) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {stack.api_key}"}
    with httpx.Client(base_url=hasty_url, headers=headers, timeout=LONG, trust_env=False) as client:
        yield client
    until(lambda: taken(hasty_url, "live") + waiting(hasty_url) == 0, "all places are free")


def waiting(url: str) -> float:
    return metric(url, "lectern_segments_waiting", model="hum", lane="live")


def check_refusal(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    error = answer.json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("server_error", "busy", None)


@pytest.mark.parametrize("change", [{}, {"stream_format": "sse"}])
def test_what_finds_no_room_is_refused_when_it_has_waited(
    hasty: httpx.Client, hasty_url: str, change: dict[str, str]
) -> None:
    refused = metric(hasty_url, "lectern_requests_refused_total", model="hum", lane="live")
    with ExitStack() as places:
        occupy(hasty, places, 2)
        assert taken(hasty_url, "live") == 2
        check_refusal(hasty.post("/v1/audio/speech", json=request("holding", **change)))
    assert metric(hasty_url, "lectern_requests_refused_total", model="hum", lane="live") == refused + 1


def test_beyond_those_that_may_wait_all_are_refused_at_once(stack: Stack, tmp_path: Path) -> None:
    limits = {**TWO_PLACES, "LECTERN_ADMISSION_QUEUE": "1"}
    with web_server(stack, tmp_path / "log", **limits) as url, ExitStack() as ending:
        headers = {"authorization": f"Bearer {stack.api_key}"}
        api = ending.enter_context(httpx.Client(base_url=url, headers=headers, timeout=LONG, trust_env=False))
        threads = ending.enter_context(ThreadPoolExecutor(1))
        places = ending.enter_context(ExitStack())
        occupy(api, places, 2)
        first = threads.submit(api.post, "/v1/audio/speech", json=request())
        until(lambda: waiting(url) == 1, "one waits")
        check_refusal(api.post("/v1/audio/speech", json=request()))
        assert not first.done()
        places.close()
        assert first.result().status_code == 200


def test_who_waits_comes_in_as_soon_as_somebody_leaves(api: httpx.Client, url: str) -> None:
    with ThreadPoolExecutor(4) as threads, ExitStack() as places:
        occupy(api, places, 2)
        waiters = [threads.submit(api.post, "/v1/audio/speech", json=request()) for _ in range(4)]
        until(lambda: waiting(url) == 4, "all wait")
        places.close()
        assert [waiter.result().status_code for waiter in waiters] == [200] * 4
    assert waiting(url) == 0


def test_who_goes_away_does_not_wait_any_longer(stack: Stack, api: httpx.Client, url: str) -> None:
    with ExitStack() as places:
        occupy(api, places, 2)
        with held.asking(url, stack.api_key, request()):
            until(lambda: waiting(url) == 1, "one waits")
        until(lambda: waiting(url) == 0, "nobody waits")


def numbered(word: str, number: int) -> str:
    return f"Nobody has ever heard {word}x{number}x hummed."


def begun(triton: Triton, word: str, count: int) -> list[int]:
    return [number for number in range(count) if held.syntheses(triton, f"{word}x{number}x")]


def test_eight_who_ask_at_once_are_served_in_the_order_of_their_coming(
    stack: Stack, api: httpx.Client, url: str
) -> None:
    word = uuid4().hex
    with ThreadPoolExecutor(8) as threads, Triton(stack.triton_address) as triton:
        answers = []
        for number in range(8):
            body = request("silent") | {"input": numbered(word, number)}
            answers.append(threads.submit(api.post, "/v1/audio/speech", json=body))
            until(lambda number=number: taken(url, "live") + waiting(url) == number + 1, "it has come")  # type: ignore[misc]
        for number in range(8):
            wanted = list(range(min(8, number + 2)))
            until(lambda wanted=wanted: begun(triton, word, 8) == wanted, f"{wanted} are begun")  # type: ignore[misc]
            assert not answers[number].done()
            held.release(triton, f"{word}x{number}x")
            assert answers[number].result().status_code == 200


def test_fifty_at_once_are_all_served(api: httpx.Client) -> None:
    with ThreadPoolExecutor(50) as threads:
        answers = [threads.submit(api.post, "/v1/audio/speech", json=request()) for _ in range(50)]
        assert [answer.result().status_code for answer in answers] == [200] * 50


def test_eight_at_once_over_two_servers_with_one_model_are_all_served(stack: Stack, tmp_path: Path) -> None:
    headers = {"authorization": f"Bearer {stack.api_key}"}
    with (
        together(*(web_server(stack, tmp_path / name, **TWO_PLACES) for name in "ab")) as urls,
        httpx.Client(headers=headers, timeout=LONG, trust_env=False) as api,
        ThreadPoolExecutor(8) as threads,
    ):
        posts = [threads.submit(api.post, f"{urls[n % 2]}/v1/audio/speech", json=request("slow")) for n in range(8)]
        assert [post.result().status_code for post in posts] == [200] * 8


def test_who_listens_comes_first_and_those_who_ask_use_what_is_left(stack: Stack, api: httpx.Client, url: str) -> None:
    heard, asked = uuid4().hex, uuid4().hex
    document = documents.make(api, "\n\n".join(f"# Part {number}\n\nHeard is {heard}." for number in range(3)))["id"]
    stream = {"model": "hum", "voice": "holding", "response_format": "wav"}
    with ThreadPoolExecutor(4) as threads, Triton(stack.triton_address) as triton:
        bodies = [request("silent") | {"input": numbered(asked, number)} for number in range(4)]
        answers = [threads.submit(api.post, "/v1/audio/speech", json=body) for body in bodies]
        until(lambda: (taken(url, "live"), waiting(url)) == (2, 2), "those who ask have all places")
        with api.stream("GET", f"/api/v1/documents/{document}/audio", params=stream) as listening:
            sound = listening.iter_raw()
            next(sound)
            until(lambda: len(held.syntheses(triton, heard)) == 2, "what is heard next is made too")
            (first, second) = begun(triton, asked, 4)
            held.release(triton, f"{asked}x{first}x")
            assert answers[first].result().status_code == 200
            until(lambda: taken(url, "live") == 3, "one of those who ask is left, beside two segments of the listener")
            assert begun(triton, asked, 4) == [first, second]
            held.release(triton, heard)
            for _ in sound:
                pass
        held.release(triton, asked)
        assert [answer.result().status_code for answer in answers] == [200] * 4


def test_the_blocks_of_one_reading_come_in_their_order(stack: Stack, api: httpx.Client, url: str) -> None:
    """Many are asked for at once, each by a request of its own."""
    word = uuid4().hex
    document = documents.make(api, "\n\n".join(numbered(word, number) for number in range(8)))["id"]
    blocks = [block["id"] for block in documents.blocks(api, document)]
    voice = {"model": "hum", "voice": "silent"}
    with ThreadPoolExecutor(8) as threads, Triton(stack.triton_address) as triton:
        answers = []
        for number, block in enumerate(blocks):
            path = f"/api/v1/documents/{document}/blocks/{block}/audio"
            answers.append(threads.submit(api.get, path, params=voice))
            until(lambda number=number: taken(url, "live") + waiting(url) == number + 1, "it has come")  # type: ignore[misc]
        for number in range(8):
            wanted = list(range(min(8, number + 2)))
            until(lambda wanted=wanted: begun(triton, word, 8) == wanted, f"{wanted} are begun")  # type: ignore[misc]
            held.release(triton, f"{word}x{number}x")
            assert answers[number].result().status_code == 200


def test_a_block_that_nobody_listens_to_waits_as_others_do(api: httpx.Client, url: str) -> None:
    document = documents.make(api, f"Nobody has ever read {uuid4().hex}.")["id"]
    (block,) = documents.blocks(api, document)
    path = f"/api/v1/documents/{document}/blocks/{block['id']}/audio"
    with ThreadPoolExecutor(1) as threads, ExitStack() as places:
        occupy(api, places, 2)
        made = threads.submit(api.head, path, params={"model": "hum"})
        until(lambda: waiting(url) == 1, "it waits")
        places.close()
        assert made.result().status_code == 200


def test_a_request_comes_in_at_once_while_a_document_is_read_as_a_batch(
    stack: Stack, api: httpx.Client, url: str
) -> None:
    """As the sample is read at a start."""
    word = uuid4().hex
    text = "\n\n".join(f"# Part {number}\n\n" + f"A long hum of {word}. " * 4 for number in range(4))
    with ThreadPoolExecutor(4) as threads, Triton(stack.triton_address) as triton:
        document = documents.make(api, text)["id"]
        path = f"/api/v1/documents/{document}/blocks"
        voice = {"model": "hum", "voice": "holding", "lane": "batch"}
        blocks = [one["id"] for one in documents.blocks(api, document)]
        readers = [threads.submit(api.head, f"{path}/{one}/audio", params=voice) for one in blocks]
        until(lambda: taken(url, "batch") == 2, "the batch has all places")
        assert api.post("/v1/audio/speech", json=request()).status_code == 200
        assert not any(reader.done() for reader in readers)
        held.release(triton, word)
        assert {reader.result().status_code for reader in readers} == {200}


def test_what_is_kept_or_being_made_is_never_refused(api: httpx.Client) -> None:
    kept = request()
    whole = api.post("/v1/audio/speech", json=kept)
    assert whole.status_code == 200
    with ExitStack() as places:
        making, _ = occupy(api, places, 2)
        assert api.post("/v1/audio/speech", json=kept).status_code == 200
        with api.stream("POST", "/v1/audio/speech", json=making) as joined:
            assert joined.status_code == 200
            assert next(joined.iter_raw())


def test_live_comes_at_once_though_batch_has_all_places(api: httpx.Client, url: str) -> None:
    with ExitStack() as places:
        occupy(api, places, 2, lane="batch")
        assert taken(url, "batch") == 2
        assert api.post("/v1/audio/speech", json=request()).status_code == 200
        assert taken(url, "batch") == 2
    assert metric(url, "lectern_model_queue_seconds_count", model="hum", lane="live") >= 1


def test_batch_waits_while_live_has_all_places(stack: Stack, api: httpx.Client, url: str) -> None:
    with ExitStack() as places:
        occupy(api, places, 2)
        with held.asking(url, stack.api_key, request(lane="batch")):
            until(lambda: batch_waiting(url) == 1, "it waits")
    until(lambda: batch_waiting(url) == 0, "none waits")


def batch_waiting(url: str) -> float:
    return metric(url, "lectern_segments_waiting", model="hum", lane="batch")


def test_a_slow_reader_holds_back_only_itself(api: httpx.Client, url: str) -> None:
    long = " ".join(f"Sentence {number} of {uuid4().hex} is hummed and nobody reads it." for number in range(200))
    body = request(response_format="pcm", sample_rate=48_000) | {"input": long}
    with api.stream("POST", "/v1/audio/speech", json=body) as slow:
        chunks = slow.iter_raw()
        received = len(next(chunks))
        until(lambda: taken(url, "live") == 0, "its next segments are made, and no further ones are begun")
        for _ in range(3):
            assert api.post("/v1/audio/speech", json=request()).status_code == 200
        until(lambda: taken(url, "live") == 0, "live places are free")
        received += sum(map(len, chunks))  # raises if it was broken off
    assert received / (2 * 48_000) > len(long) / 10 * 0.95


def test_who_leafs_through_documents_is_let_in(api: httpx.Client) -> None:
    """Two places, and one account that looks at four documents in a few seconds."""
    texts = [f"The first word of {uuid4().hex}." for _ in range(4)]
    made = [documents.make(api, text)["id"] for text in texts]
    for one in made:
        (block,) = documents.blocks(api, one)
        answer = api.get(f"/api/v1/documents/{one}/blocks/{block['id']}/audio", params={"model": "hum"})
        assert answer.status_code == 200, answer.text

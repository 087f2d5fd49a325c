"""Speech as events, and asking a busy server again; each test holds for threads and for asyncio."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from lectern import (
    AsyncClient,
    AudioDelta,
    BusyError,
    Client,
    ConnectionLostError,
    Done,
    LecternError,
    SpeechFailedError,
    Usage,
    Word,
    Words,
)
from lectern.errors import UnexpectedResponseError
from lectern.rest.events import EventReader
from tests.unit.client.bodies import DOCUMENTS
from tests.unit.client.either import Asyncio, Either, Threads
from tests.unit.client.fake_server import Answer, FakeServer
from tests.unit.client.streams import DONE, FAILED, WORDS, delta, event, spoken, stream, words

SPEECH = "/v1/audio/speech"
EXPECTED = [
    AudioDelta(b"Og"),
    Words([Word(word="Good", start=0.0, end=0.25, text_start=0, text_end=4)]),
    AudioDelta(b"gS"),
    Words([Word(word="morning", start=0.25, end=0.8, text_start=5, text_end=12)]),
    Done(Usage(characters=13, seconds=0.9)),
]
BUSY = Answer(503, headers={"retry-after": "0"})


def test_audio_and_words_come_as_events(client: Either, server: FakeServer) -> None:
    server.answer("POST", SPEECH, spoken())
    assert client.collect("speak_events", "Good morning.", voice="en-us") == EXPECTED
    assert server.asked[0].body == {
        "input": "Good morning.",
        "voice": "en-us",
        "response_format": "opus",
        "stream_format": "sse",
        "timestamps": "word",
    }


def test_words_may_be_left_out(client: Either, server: FakeServer) -> None:
    server.answer("POST", SPEECH, stream(delta(b"OggS"), DONE))
    assert len(client.collect("speak_events", "hello", timestamps=False)) == 2
    assert server.asked[0].body["timestamps"] == "none"


def test_a_failure_in_the_middle_is_an_error(client: Either, server: FakeServer) -> None:
    server.answer("POST", SPEECH, stream(delta(b"Og"), FAILED))
    with pytest.raises(SpeechFailedError, match=r"The voice failed\."):
        client.collect("speak_events", "hello")


@pytest.mark.parametrize("events", [(), (delta(b"Og"),), (delta(b"OggS"), words()), (delta(b"OggS"), DONE[:-1])])
@pytest.mark.parametrize("framing", ["chunked", "chunked-cut"])
def test_a_stream_without_its_end_never_looks_whole(
    client: Either, server: FakeServer, events: tuple[bytes, ...], framing: str
) -> None:
    server.answer("POST", SPEECH, stream(*events, framing=framing))
    with pytest.raises(ConnectionLostError):
        client.collect("speak_events", "hello")


def test_events_of_a_newer_server_are_left_out(client: Either, server: FakeServer) -> None:
    newer = [event("speech.audio.loudness", lufs=-16), b": a comment\n\n", b"id: 3\nretry: 5\n\n"]
    server.answer("POST", SPEECH, stream(newer[0], delta(b"OggS"), *newer[1:], DONE))
    assert client.collect("speak_events", "hello") == [AudioDelta(b"OggS"), EXPECTED[-1]]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"OggS", headers={"content-type": "audio/ogg"}, framing="chunked"),
        stream(b"data: {\n\n"),
        stream(b'data: {"type":"speech.audio.delta","audio":3}\n\n'),
        stream(b"data: \xff\n\n"),
    ],
)
def test_another_answer_than_events(client: Either, server: FakeServer, answer: Answer) -> None:
    server.answer("POST", SPEECH, answer)
    with pytest.raises(UnexpectedResponseError):
        client.collect("speak_events", "hello")


def test_a_stream_of_events_may_be_left(client: Either, server: FakeServer) -> None:
    server.answer("POST", SPEECH, spoken())
    assert client.take(2, "speak_events", "hello") == EXPECTED[:2]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_events_are_read_wherever_they_are_cut(end: bytes, size: int) -> None:
    lines = (delta(b"Og") + words(WORDS[:1]) + delta(b"gS") + words(WORDS[1:]) + DONE).replace(b"\n", end)
    lines += b"\n"  # a return at the very end waits for what comes next
    reader = EventReader("here")
    found = [event for at in range(0, len(lines), size) for event in reader.feed(lines[at : at + size])]
    reader.end()
    assert found == EXPECTED


def test_data_on_several_lines_is_one_event() -> None:
    reader = EventReader("here")
    assert list(reader.feed(b'data:{"type":\ndata: "speech.audio.delta",\ndata: "audio": "T2c="}\n\n')) == EXPECTED[:1]


@pytest.mark.parametrize("code", [429, 503])
def test_a_busy_server_is_asked_again(client: Either, server: FakeServer, code: int) -> None:
    busy = Answer(code, b"busy", {"retry-after": "0"})
    server.answer("POST", SPEECH, busy, busy, Answer(body=b"OggS", framing="chunked"))
    assert client.call("speak", "hello") == b"OggS"
    server.answer("HEAD", f"{DOCUMENTS}/d1/blocks/b1/audio", busy, Answer(headers={"x-lectern-seconds": "2"}))
    assert client.call("make_block_audio", "d1", "b1") == 2.0
    assert len(server.asked) == 5
    assert server.asked[0].body == server.asked[2].body


def test_it_waits_as_long_as_it_is_told(client: Either, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answer("POST", SPEECH, Answer(503, headers={"retry-after": "1"}), Answer(body=b"OggS"))
    waits: list[tuple[float, int]] = []  # for how long, and how often it had asked by then
    at_once = asyncio.sleep

    async def sleep(seconds: float) -> None:
        if seconds:
            waits.append((seconds, len(server.asked)))
        await at_once(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(time, "sleep", lambda seconds: waits.append((seconds, len(server.asked))))
    client.call("speak", "hello")
    ((seconds, asked),) = waits
    assert 1.0 <= seconds < 1.5, "a little more, so that not all come back at once"
    assert (asked, len(server.asked)) == (1, 2)


def test_it_does_not_wait_longer_than_its_retry_timeout(client: Either, server: FakeServer) -> None:
    server.answer("POST", SPEECH, Answer(503, headers={"retry-after": "3600"}))
    with pytest.raises(BusyError) as raised:
        client.call("speak", "hello")
    assert raised.value.retry_after == 3600.0
    assert len(server.asked) == 1


@pytest.fixture(params=[Client, AsyncClient])
def without_retries(request: pytest.FixtureRequest, server: FakeServer) -> Iterator[Either]:
    made = request.param(server.url, api_key="secret", retry_timeout=0.0)
    with Threads(made) if request.param is Client else Asyncio(made) as either:
        yield either


def test_without_retries_busy_is_an_error_at_once(without_retries: Either, server: FakeServer) -> None:
    server.answer("POST", SPEECH, BUSY)
    with pytest.raises(BusyError):
        without_retries.call("speak", "hello")
    assert len(server.asked) == 1


def test_what_is_no_sign_of_being_busy_is_not_repeated(client: Either, server: FakeServer) -> None:
    server.answer("POST", SPEECH, Answer(502, headers={"retry-after": "0"}))
    server.answer("POST", DOCUMENTS, BUSY)
    server.answer("GET", "/readyz", Answer.json({"status": "unready", "version": "1", "checks": []}, 503))
    with pytest.raises(LecternError):
        client.call("speak", "hello")
    with pytest.raises(BusyError):
        client.call("create_document", "hello")
    assert not client.call("status").ready
    assert len(server.asked) == 3


def test_nothing_is_repeated_once_bytes_have_come(client: Either, server: FakeServer) -> None:
    server.answer("POST", SPEECH, Answer(body=b"OggS", framing="chunked-cut"))
    with pytest.raises(ConnectionLostError):
        client.call("speak", "hello")
    server.answer("POST", SPEECH, stream(delta(b"Og"), FAILED))
    with pytest.raises(SpeechFailedError):
        client.collect("speak_events", "hello")
    assert len(server.asked) == 2

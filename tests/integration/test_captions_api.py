"""The times of words through REST: of a text, of a document, and among the events of a response."""

import base64
import json
import re
from typing import Any

import httpx
import pytest

from tests.integration import documents
from tests.integration.audio import decode
from tests.unit.speech.subtitles import Shown, read_srt, read_vtt

TEXT = "She said: “It snowed!” — twice (at least). Costs 3.5 € & more… Then <b>nothing</b> --> happened. " * 4
CHINESE = "他说：“你好。”今天天气很好，我们去公园散步吧。明天也许会下雨，后天会下雪。" * 6
READERS = {"srt": read_srt, "vtt": read_vtt}
CONTENT_TYPES = {"json": "application/json", "srt": "application/x-subrip", "vtt": "text/vtt; charset=utf-8"}
DOCUMENT = (
    "# A heading\n\nThe *first* paragraph is “read” aloud.\n\n```\ncode is not\n```\n\n- One item\n- Another item\n"
)


def ask(api: httpx.Client, **fields: Any) -> httpx.Response:
    body = {"model": "espeak", "voice": "en-us", "input": TEXT, **fields}
    answer = api.post("/v1/audio/captions", json=body)
    assert answer.status_code == 200, answer.text
    return answer


def seconds(api: httpx.Client, **fields: Any) -> float:
    body = {"model": "espeak", "voice": "en-us", "input": TEXT, "response_format": "flac", **fields}
    samples, rate = decode(api.post("/v1/audio/speech", json=body).raise_for_status().content)
    return len(samples) / rate


def packed(text: str) -> str:
    return re.sub(r"\s", "", text)


def all_text(shown: list[Shown]) -> str:
    return packed("".join(one.text for one in shown)).replace("→", "-->")


@pytest.mark.parametrize("caption_format", CONTENT_TYPES)
def test_captions_say_their_media_type(api: httpx.Client, caption_format: str) -> None:
    assert ask(api, caption_format=caption_format).headers["content-type"] == CONTENT_TYPES[caption_format]


def test_words_are_those_of_the_text_and_follow_each_other(api: httpx.Client) -> None:
    told = ask(api).json()
    words = told["words"]
    assert {"snowed", "twice", "happened"} <= {word["word"] for word in words}
    for word in words:
        assert TEXT[word["text_start"] : word["text_end"]] == word["word"]
        assert 0 <= word["start"] <= word["end"] <= told["duration"] + 0.001
    starts = [(word["start"], word["text_start"]) for word in words]
    assert starts == sorted(starts)
    assert told["duration"] == pytest.approx(seconds(api), abs=0.01)


def test_every_word_that_is_spoken_has_a_time(api: httpx.Client) -> None:
    covered: set[int] = set()
    for word in ask(api).json()["words"]:
        covered.update(range(word["text_start"], word["text_end"]))
    missing = [found.group() for found in re.finditer(r"[A-Za-z]{2,}", TEXT) if not covered & set(range(*found.span()))]
    assert set(missing) <= {"b"}


@pytest.mark.parametrize("caption_format", READERS)
@pytest.mark.parametrize(("voice", "text"), [("en-us", TEXT), ("cmn", CHINESE)])
def test_subtitles_hold_the_whole_text(api: httpx.Client, caption_format: str, voice: str, text: str) -> None:
    fields = {"voice": voice, "input": text}
    shown = READERS[caption_format](ask(api, caption_format=caption_format, **fields).text)
    assert all_text(shown) == packed(text)
    assert len(shown) > 8
    assert all(line.count("") < 44 for one in shown for line in one.text.split("\n"))
    assert shown[-1].end <= seconds(api, **fields) + 0.01


def test_captions_follow_the_speed(api: httpx.Client) -> None:
    assert ask(api, speed=2.0).json()["duration"] == pytest.approx(ask(api).json()["duration"] / 2, rel=0.2)


def test_a_bad_request_for_captions_is_refused_in_openais_shape(api: httpx.Client) -> None:
    answer = api.post("/v1/audio/captions", json={"input": "Hello.", "caption_format": "ass"})
    assert answer.status_code == 400
    assert "caption_format" in answer.json()["error"]["message"]


def test_a_documents_words_belong_to_its_blocks(api: httpx.Client) -> None:
    document = documents.make(api, DOCUMENT)
    path = f"/api/v1/documents/{document['id']}"
    shown = {block["id"]: block["shown"] for block in documents.blocks(api, document["id"]) if block["spoken"]}
    told = api.get(f"{path}/captions", params={"voice": "en-us"}).raise_for_status().json()
    assert {word["block"] for word in told["words"]} == set(shown)
    for word in told["words"]:
        assert shown[word["block"]][word["text_start"] : word["text_end"]] == word["word"]
    starts = [word["start"] for word in told["words"]]
    assert starts == sorted(starts)
    audio, rate = decode(api.get(f"{path}/audio", params={"voice": "en-us", "response_format": "flac"}).content)
    assert told["duration"] == pytest.approx(len(audio) / rate, abs=0.01)


@pytest.mark.parametrize("caption_format", READERS)
def test_a_documents_subtitles_hold_what_is_read_aloud(api: httpx.Client, caption_format: str) -> None:
    document = documents.make(api, DOCUMENT)
    blocks = [block["shown"] for block in documents.blocks(api, document["id"]) if block["spoken"]]
    answer = api.get(f"/api/v1/documents/{document['id']}/captions", params={"caption_format": caption_format})
    assert answer.headers["content-type"] == CONTENT_TYPES[caption_format]
    assert all_text(READERS[caption_format](answer.text)) == packed("".join(blocks))
    assert "code" not in answer.text


def test_a_document_that_says_nothing_has_no_captions(api: httpx.Client) -> None:
    document = documents.make(api, "```\ncode\n```\n")
    assert api.get(f"/api/v1/documents/{document['id']}/captions").status_code == 404


def test_events_with_times_say_what_captions_say(api: httpx.Client) -> None:
    body = {"model": "espeak", "voice": "en-us", "input": TEXT, "response_format": "wav"}
    answer = api.post("/v1/audio/speech", json={**body, "stream_format": "sse", "timestamps": "word"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line]
    words = [word for event in events for word in event.get("words", [])]
    captions = ask(api).json()
    assert words == captions["words"]
    audio = b"".join(base64.b64decode(event["audio"]) for event in events if event["type"] == "speech.audio.delta")
    samples, rate = decode(audio)
    assert events[-1]["usage"]["seconds"] == pytest.approx(len(samples) / rate, abs=0.002)
    assert events[-1]["usage"]["seconds"] == pytest.approx(captions["duration"], abs=0.002)


def test_times_need_events(api: httpx.Client) -> None:
    answer = api.post("/v1/audio/speech", json={"input": "Hello.", "timestamps": "word"})
    assert answer.status_code == 400
    assert "sse" in answer.json()["error"]["message"]

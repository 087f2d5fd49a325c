"""What clients of OpenAI and of servers like it send, and mean: names of voices, fields, texts without a word."""

import json
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest

from orchestrator.audio.formats import AUDIO_FORMATS
from tests.integration.audio import decode
from tests.integration.metrics import metric
from tests.stack import Stack


def speech(api: httpx.Client, **fields: Any) -> httpx.Response:
    body = {"model": "espeak", "voice": "en-us", "input": "Hello there.", "response_format": "wav", **fields}
    return api.post("/v1/audio/speech", json=body)


def heard(api: httpx.Client, **fields: Any) -> Any:
    answer = speech(api, **fields)
    assert answer.status_code == 200, answer.text
    return decode(answer.content)[0]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"model": "kokoro", "voice": "nova"}, {"model": "kokoro", "voice": "af_nova"}),
        ({"model": "kokoro", "voice": "Nova"}, {"model": "kokoro", "voice": "af_nova"}),
        ({"model": "kokoro", "voice": {"id": "nova"}}, {"model": "kokoro", "voice": "af_nova"}),
        ({"model": "kokoro", "voice": "alloy"}, {"model": "kokoro", "voice": None}),
        ({"model": "espeak", "voice": "alloy"}, {"model": "espeak", "voice": None}),
        ({"model": "espeak", "voice": "NOVA"}, {"model": "espeak", "voice": None}),
        ({"model": "hum", "voice": "onyx"}, {"model": "hum", "voice": None}),
        ({"model": "", "voice": "alloy"}, {"model": None, "voice": None}),
        ({"model": "", "voice": ""}, {"model": None, "voice": None}),
        ({"model": "tts-1", "voice": "nova"}, {"model": None, "voice": "nova"}),
        ({"model": "kokoro", "voice": "AF_Heart"}, {"model": "kokoro", "voice": "af_heart"}),
        ({"model": None, "voice": "AF_SKY"}, {"model": "kokoro", "voice": "af_sky"}),
        ({"model": "espeak", "voice": "en-US"}, {"model": "espeak", "voice": "en-us"}),
        ({"model": "kokoro", "voice": "AF_Heart+af_sky"}, {"model": "kokoro", "voice": "af_heart+af_sky"}),
        ({"model": "kokoro", "voice": "AF_Heart+af_heart"}, {"model": "kokoro", "voice": "af_heart"}),
    ],
)
def test_a_name_means_a_voice_of_the_model_that_is_named(
    api: httpx.Client, asked: dict[str, Any], meant: dict[str, Any]
) -> None:
    text = f"Nobody was ever called {uuid4().hex[:6]}."
    assert np.array_equal(heard(api, input=text, **meant), heard(api, input=text, **asked))


def test_a_name_of_openais_is_refused_with_a_model_that_does_not_exist(api: httpx.Client) -> None:
    answer = speech(api, model="espeek", voice="alloy")
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "model"


def test_voices_are_listed_by_model(api: httpx.Client) -> None:
    voices = api.get("/v1/audio/voices", params={"model": "kokoro"}).raise_for_status().json()["voices"]
    assert {"af_heart", "af_nova"} <= {voice["id"] for voice in voices}
    assert {voice["model"] for voice in voices} == {"kokoro"}


@pytest.mark.parametrize(
    "neutral",
    [
        {"stream": True},
        {"stream": False},
        {"user": "somebody"},
        {"lang_code": None, "volume_multiplier": 1.0, "return_download_link": False},
        {"volume_multiplier": 1, "return_download_link": None, "stream": None, "user": None},
        dict.fromkeys(("speed", "stream_format", "timestamps", "loudness", "sample_rate", "instructions", "language")),
        dict.fromkeys(("lexicon", "normalization", "seed", "lane", "turns", "dialogue", "markup")),
    ],
)
def test_what_asks_for_what_is_done_anyway_is_accepted(api: httpx.Client, neutral: dict[str, Any]) -> None:
    assert np.array_equal(heard(api, **neutral), heard(api))
    captions = {name: value for name, value in neutral.items() if name in ("stream", "user", "lang_code", "speed")}
    body = {"model": "espeak", "voice": "en-us", "input": "Hello there.", "caption_format": None, **captions}
    assert api.post("/v1/audio/captions", json=body).raise_for_status().json()["words"]


def test_null_is_as_left_out(api: httpx.Client) -> None:
    nothing = {"input": "Hello there.", "model": None, "voice": None, "response_format": None}
    assert api.post("/v1/audio/speech", json=nothing).raise_for_status().headers["content-type"] == "audio/mpeg"
    turns = [{"text": "Hello there.", "voice": None, "speed": None, "language": None, "pause": None}]
    plain = heard(api)
    assert np.array_equal(plain, heard(api, input=None, turns=turns))


def test_a_language_may_be_called_lang_code(api: httpx.Client) -> None:
    german = heard(api, language="de")
    assert not np.array_equal(german, heard(api))
    assert np.array_equal(german, heard(api, lang_code="de"))
    assert np.array_equal(german, heard(api, lang_code="DE", language="de"))


def test_the_description_tells_them(api: httpx.Client) -> None:
    schemas = api.get("/docs/openapi.json").raise_for_status().json()["components"]["schemas"]
    for name in ("SpeechRequest", "CaptionRequest"):
        fields = schemas[name]["properties"]
        assert {"stream", "user", "lang_code", "volume_multiplier", "return_download_link"} <= set(fields)
        assert "null" in json.dumps(fields["speed"])


@pytest.mark.parametrize("model", [{"model": "espeak", "voice": "en-us"}, {"model": "kokoro", "voice": "af_heart"}])
@pytest.mark.parametrize("text", ["!!!", "…", "---", "👍", "♪ ♪", "* * *", "\u200b.", "?!\n\n—"])
def test_a_text_without_a_word_is_a_short_silence(api: httpx.Client, model: dict[str, str], text: str) -> None:
    answer = speech(api, **model, input=text)
    assert answer.status_code == 200, answer.text
    samples, rate = decode(answer.content)
    assert len(samples) / rate == pytest.approx(0.25, abs=0.001)
    assert not samples.any()
    assert answer.headers["x-lectern-cost"] == "0"
    assert answer.headers["x-lectern-characters"] == str(len(text))


@pytest.mark.parametrize("audio_format", AUDIO_FORMATS)
@pytest.mark.parametrize("more", [{}, {"loudness": -16}, {"sample_rate": 48_000}])
def test_it_comes_in_the_form_that_is_asked_for(api: httpx.Client, audio_format: str, more: dict[str, Any]) -> None:
    answer = speech(api, input="…", response_format=audio_format, **more)
    assert answer.status_code == 200, answer.text
    if audio_format == "pcm":
        assert len(answer.content) == 2 * more.get("sample_rate", 24_000) // 4
    else:
        samples, rate = decode(answer.content)
        assert 0.2 < len(samples) / rate < 0.4


@pytest.mark.parametrize(
    "said",
    [
        {"input": "…"},
        {"turns": [{"text": "!!!", "pause": 1}, {"text": "…"}], "input": ""},
        {"input": "[voice:en-us] … [pause:1s]", "dialogue": True},
    ],
)
def test_as_events_and_captions_it_has_no_words(stack: Stack, api: httpx.Client, said: dict[str, Any]) -> None:
    made = metric(stack.url, "lectern_segments_total", source="made")
    answer = speech(api, stream_format="sse", timestamps="word", **said)
    assert answer.status_code == 200, answer.text
    told = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]
    assert {event["type"] for event in told[:-1]} == {"speech.audio.delta"}
    assert (told[-1]["usage"]["seconds"], told[-1]["usage"]["cost"]) == (0.25, 0)
    body = {"model": "espeak", "voice": "en-us", **said}
    captions = api.post("/v1/audio/captions", json=body).raise_for_status().json()
    assert captions == {"words": [], "duration": 0.25}
    for kind, empty in {"srt": "", "vtt": "WEBVTT\n\n"}.items():
        assert api.post("/v1/audio/captions", json={**body, "caption_format": kind}).raise_for_status().text == empty
    assert metric(stack.url, "lectern_segments_total", source="made") == made


def test_a_text_without_a_word_still_wants_a_voice_that_exists(api: httpx.Client) -> None:
    assert speech(api, input="…", voice="nobody").status_code == 400

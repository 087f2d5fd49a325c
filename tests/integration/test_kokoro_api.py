"""Kokoro through the REST API: its voices, mixes of them, and what its markup becomes."""

from typing import Any

import httpx
import numpy as np
import openai
import pytest

from tests.integration.audio import decode
from tests.integration.metrics import metric
from tests.stack import Stack


def speak(api: httpx.Client, **fields: Any) -> httpx.Response:
    body = {"model": "kokoro", "voice": "af_heart", "input": "Hello there.", "response_format": "flac", **fields}
    return api.post("/v1/audio/speech", json=body)


def sound(api: httpx.Client, **fields: Any) -> Any:
    return decode(speak(api, **fields).raise_for_status().content)[0]


def test_a_mix_is_another_voice_and_has_one_spelling(api: httpx.Client, stack: Stack) -> None:
    text = "A mix of voices says this once."
    mixed = sound(api, input=text, voice="af_heart(2)+af_sky(1)")
    made = metric(stack.url, "lectern_segments_total", source="made")
    assert np.array_equal(mixed, sound(api, input=text, voice="af_sky + af_heart(2)"))
    assert metric(stack.url, "lectern_segments_total", source="made") == made, "it is the same segment"
    for voice in ("af_heart", "af_sky", "af_heart(1)+af_sky(2)"):
        assert not np.array_equal(mixed, sound(api, input=text, voice=voice))


@pytest.mark.parametrize(
    ("model", "voice", "message"),
    [
        ("kokoro", "af_heart(2)+af_sly", "af_sky"),
        ("kokoro", "af_heart(", "af_heart(2)+af_sky(1)"),
        ("kokoro", "af_heart(0)+af_sky", "above 0"),
        ("kokoro", "+".join(["af_sky"] * 9), "at most 8"),
        ("espeak", "en-us+en-gb", "There is no voice"),
    ],
)
def test_what_cannot_be_mixed_is_told(api: httpx.Client, model: str, voice: str, message: str) -> None:
    answer = speak(api, model=model, voice=voice)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_the_official_openai_client_speaks_a_mix(stack: Stack) -> None:
    client = openai.OpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, max_retries=0)
    answer = client.audio.speech.create(
        model="kokoro", voice="af_heart(2)+af_sky(1)", input="Hello there.", response_format="wav"
    )
    samples, rate = decode(answer.content)
    assert rate == 24_000
    assert len(samples) > rate / 2


def test_a_voice_is_found_without_its_model(api: httpx.Client) -> None:
    body = {"voice": "af_heart", "input": "Hello there.", "response_format": "flac"}
    answer = api.post("/v1/audio/speech", json=body).raise_for_status()
    assert np.array_equal(decode(answer.content)[0], sound(api))


def test_voices_have_grades(api: httpx.Client) -> None:
    items = api.get("/api/v1/voices", params={"model": "kokoro"}).raise_for_status().json()["items"]
    assert {item["name"]: item["grade"] for item in items} == {
        "af_heart": "A", "af_sky": "C-", "bf_emma": "B-", "ef_dora": None, "zf_xiaobei": "D",
    }  # fmt: skip


def test_markup_goes_through_to_the_model(api: httpx.Client) -> None:
    plain = len(sound(api, input="One. Two."))
    assert len(sound(api, input="One. [pause:2s] Two.")) - plain == pytest.approx(2 * 24_000, abs=0.5 * 24_000)
    assert not np.array_equal(sound(api, input="[Two](/tˈiː/)"), sound(api, input="Two"))


def test_a_pause_that_cannot_be_is_the_callers_mistake(api: httpx.Client) -> None:
    answer = speak(api, input="One. [pause:99s] Two.")
    assert answer.status_code == 400
    assert "pause" in answer.json()["error"]["message"]

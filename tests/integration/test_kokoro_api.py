"""Kokoro through the REST API: its voices, mixes of them, and what its markup becomes."""

from typing import Any

import httpx
import numpy as np
import openai
import pytest

from tests.integration import documents
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
        "af_heart": "A", "af_nova": "C", "af_sky": "C-", "bf_emma": "B-", "ef_dora": None, "zf_xiaobei": "D",
    }  # fmt: skip


def marked(api: httpx.Client, path: str, **fields: Any) -> list[str]:
    answer = api.request("POST" if fields else "GET", path, json=fields or None)
    assert answer.status_code == 200, answer.text
    return [word["word"] for word in answer.json()["words"]]


def test_markup_goes_through_to_the_model_where_it_is_asked_for(api: httpx.Client) -> None:
    paused = np.abs(sound(api, input="One. [pause:2s] Two.", markup=True).astype(np.int32))
    silences = np.diff(np.flatnonzero(paused > 0.01 * paused.max()))
    assert silences.max() == pytest.approx(2 * 24_000, rel=0.1)
    assert not np.array_equal(sound(api, input="[Two](/tˈiː/)", markup=True), sound(api, input="Two"))
    assert not np.array_equal(sound(api, input="[Two](/tˈiː/)", markup=True), sound(api, input="[Two](/tˈiː/)"))
    asked = {"model": "kokoro", "voice": "af_heart", "input": "[Two](/tˈiː/) [pause:1s] more."}
    assert marked(api, "/v1/audio/captions", **asked, markup=True) == ["Two", "more"]
    plainly = " ".join(marked(api, "/v1/audio/captions", **asked))
    assert all(said in plainly for said in ("Two", "/tˈiː/", "pause", "1s", "more"))


def test_every_turn_of_a_dialogue_has_the_markup_that_the_request_asks_for(api: httpx.Client) -> None:
    turns = [{"text": "One. [pause:2s] Two."}, {"text": "[Two](/tˈiː/)", "voice": "af_sky"}]
    fields = {"model": "kokoro", "voice": "af_heart", "turns": turns, "caption_format": "json"}
    assert marked(api, "/v1/audio/captions", **fields, markup=True) == ["One", "Two", "Two"]


def test_the_marks_of_a_dialogue_are_its_own_with_and_without_markup(api: httpx.Client) -> None:
    text = "One. [pause:1.5s] [voice:af_sky] Two."
    plain = len(sound(api, input=text, dialogue=True))
    assert plain >= 1.5 * 24_000
    assert len(sound(api, input=text, dialogue=True, markup=True)) == pytest.approx(plain, abs=0.2 * 24_000)


def test_a_pause_that_cannot_be_is_the_callers_mistake(api: httpx.Client) -> None:
    answer = speak(api, input="One. [pause:99s] Two.", markup=True)
    assert answer.status_code == 400
    assert "pause" in answer.json()["error"]["message"]
    assert speak(api, input="One. [pause:99s] Two.").status_code == 200


@pytest.mark.parametrize("path", ["/v1/audio/speech", "/v1/audio/captions"])
def test_markup_is_refused_where_the_model_cannot_read_it(api: httpx.Client, path: str) -> None:
    answer = api.post(path, json={"model": "espeak", "input": "One. [pause:1s] Two.", "markup": True})
    assert answer.status_code == 400
    assert "'markup' cannot be used with the model 'espeak'" in answer.json()["error"]["message"]


@pytest.mark.parametrize("document_format", ["text", "markdown"])
def test_the_text_of_a_document_is_never_obeyed(api: httpx.Client, document_format: str) -> None:
    text = "Read \\[our blog](/blog/) today, or \\[x](/Ж/) for `[Hi](/hˈaɪ/)`.\n\n"
    text += "Then wait [pause:99s] for [pause:1s] more.\n"
    if document_format == "text":
        text = text.replace("\\", "")
    document = documents.make(api, text, format=document_format)
    path = f"/api/v1/documents/{document['id']}"
    asked = "?model=kokoro&voice=af_heart"
    assert decode(api.get(f"{path}/audio{asked}&response_format=flac").raise_for_status().content)[0].size
    words = marked(api, f"{path}/captions{asked}&caption_format=json")
    assert {"our", "today", "wait", "more"} <= set(words)
    assert all(said in " ".join(words) for said in ("/blog/", "/Ж/", "pause", "99s"))
    for block in documents.blocks(api, document["id"]):
        api.get(f"{path}/blocks/{block['id']}/audio{asked}").raise_for_status()

"""Requests of the form that Open WebUI sends with its text-to-speech engine set to OpenAI and its address to ours.

It asks for models and voices under /audio (older versions without a key), and sends on what its page sends, ``input``
and ``voice``, with the model and the further parameters of its settings. Of the answers it reads what is read here.
"""

from typing import Any

import httpx
import pytest

from tests.integration.audio import decode
from tests.stack import Stack

# The page cuts an answer of a chat model into sentences; each is one request.
SENTENCE = "Sure! Here is what I found: **three** results. 😊"
USER = {
    "X-OpenWebUI-User-Name": "Ada%20Lovelace",
    "X-OpenWebUI-User-Id": "3f2c5a0e-7c1b-4c1f-9a57-1f2f6b0f9d11",
    "X-OpenWebUI-User-Email": "ada@example.org",
    "X-OpenWebUI-User-Role": "user",
    "X-OpenWebUI-Chat-Id": "9b1d",
}
# What it offers when it is not told of others.
FALLBACK_MODELS = ("tts-1", "tts-1-hd")
FALLBACK_VOICES = ("alloy", "echo", "fable", "onyx", "nova", "shimmer")


def speech(api: httpx.Client, model: str, voice: str, parameters: dict[str, Any] | None = None) -> httpx.Response:
    body = {"input": SENTENCE, "voice": voice, "model": model, **(parameters or {})}
    headers = {"Content-Type": "application/json", "Accept": "*/*", "Accept-Encoding": "gzip, deflate, br", **USER}
    return api.post("/v1/audio/speech", json=body, headers=headers)


def test_models_and_voices_are_listed_as_it_reads_them(api: httpx.Client) -> None:
    models = api.get("/v1/audio/models").raise_for_status().json()["models"]
    assert {"espeak", "hum"} <= {model["id"] for model in models}
    voices = api.get("/v1/audio/voices").raise_for_status().json()["voices"]
    by_id = {voice["id"]: voice["name"] for voice in voices}
    assert {"en-us", "hum"} <= set(by_id)
    assert all(by_id.values())


@pytest.mark.parametrize("path", ["/v1/audio/models", "/v1/audio/voices"])
def test_who_asks_without_a_key_is_refused_and_falls_back_to_openais_names(stack: Stack, path: str) -> None:
    assert httpx.get(f"{stack.url}{path}", trust_env=False).status_code == 401


@pytest.mark.parametrize("model", FALLBACK_MODELS)
@pytest.mark.parametrize("voice", FALLBACK_VOICES)
def test_the_names_it_falls_back_to_speak(api: httpx.Client, model: str, voice: str) -> None:
    answer = speech(api, model, voice)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "audio/mpeg"  # it keeps the answer as .mp3
    samples, rate = decode(answer.content)
    assert len(samples) > rate


def test_a_voice_of_the_list_speaks(api: httpx.Client) -> None:
    assert speech(api, "espeak", "en-gb").status_code == 200


@pytest.mark.parametrize(
    "parameters",
    [
        {"response_format": "wav"},
        {"speed": 1.25},
        {"instructions": "Be cheerful.", "response_format": "opus"},
        {"stream_format": "audio"},
    ],
)
def test_the_further_parameters_of_its_settings_are_taken(api: httpx.Client, parameters: dict[str, Any]) -> None:
    answer = speech(api, "tts-1", "alloy", parameters)
    assert answer.status_code == 200, answer.text
    assert len(decode(answer.content)[0]) > 1_000


def test_a_refusal_can_be_shown_to_its_user(api: httpx.Client) -> None:
    answer = speech(api, "espeak", "allay")
    assert answer.status_code == 400
    assert "There is no voice 'allay'" in answer.json()["error"]["message"]

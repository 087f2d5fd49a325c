"""Voices as OpenAI-compatible servers list them, and how each sounds."""

from typing import Any

import httpx
import pytest

from tests.integration.audio import decode


def voices(api: httpx.Client) -> list[dict[str, Any]]:
    return list(api.get("/v1/audio/voices").raise_for_status().json()["voices"])


def test_a_voice_is_an_object_with_all_that_clients_show(api: httpx.Client) -> None:
    listed = voices(api)
    assert len({(voice["model"], voice["id"]) for voice in listed}) == len(listed)
    assert {"espeak", "hum", "kokoro"} <= {voice["model"] for voice in listed}
    for voice in listed:
        assert set(voice) == {"id", "name", "language", "model", "preview"}
        assert all(voice.values())


@pytest.mark.parametrize(("model", "name"), [("espeak", "en-us"), ("espeak", "cmn"), ("kokoro", "ef_dora")])
def test_a_preview_is_a_short_sample(api: httpx.Client, model: str, name: str) -> None:
    (voice,) = [one for one in voices(api) if (one["model"], one["id"]) == (model, name)]
    answer = api.get(voice["preview"])
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "audio/mpeg"
    samples, rate = decode(answer.content)
    assert 0.5 < len(samples) / rate < 15


@pytest.mark.parametrize(
    ("query", "status", "hint"),
    [("", 400, "voice"), ("?voice=nobody", 400, "nobody"), ("?voice=hum&model=espeak", 400, "hum")],
)
def test_a_preview_of_no_voice_is_refused(api: httpx.Client, query: str, status: int, hint: str) -> None:
    answer = api.get(f"/v1/audio/voices/preview{query}")
    assert answer.status_code == status
    assert hint in answer.json()["error"]["message"]

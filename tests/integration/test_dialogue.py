"""Several voices in one answer, with pauses between them."""

from typing import Any

import httpx
import numpy as np
import pytest

from lectern_contract import SILENCE_BEFORE, SILENCE_BEHIND
from tests.integration import documents
from tests.integration.audio import decode

HUM = {"model": "hum", "voice": "hum", "response_format": "wav"}  # a second for each ten characters
TURNS = [{"text": "Ten signs."}, {"text": "And twenty of them..", "pause": 1.5}]


def speak(api: httpx.Client, **fields: Any) -> httpx.Response:
    return api.post("/v1/audio/speech", json={**HUM, **fields})


def silences(samples: np.ndarray[Any, Any], rate: int) -> list[tuple[float, float]]:
    """Where each silence of more than 0.2 s begins, and how long it lasts, in seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], samples == 0, [False]]).astype(int))).reshape(-1, 2)
    return [(start / rate, (end - start) / rate) for start, end in edges if end - start > rate / 5]


def test_turns_follow_each_other_with_their_pauses(api: httpx.Client) -> None:
    samples, rate = decode(speak(api, turns=TURNS).raise_for_status().content)
    silence = 1.5 - SILENCE_BEHIND - SILENCE_BEFORE  # other models than hum leave some around their sounds
    assert len(samples) / rate == pytest.approx(1.0 + silence + 2.0, abs=0.01)
    ((start, length),) = silences(samples, rate)
    assert start == pytest.approx(1.0, abs=0.02)
    assert length == pytest.approx(silence, abs=0.02)


def test_marks_in_the_text_say_the_same(api: httpx.Client) -> None:
    text = "Ten signs.[pause:1.5s]And twenty of them.."
    marked, rate = decode(speak(api, input=text, dialogue=True).raise_for_status().content)
    turns, _ = decode(speak(api, turns=TURNS).raise_for_status().content)
    assert np.array_equal(marked, turns), rate


def test_marks_are_text_unless_a_dialogue_is_asked_for(api: httpx.Client) -> None:
    words = api.post("/v1/audio/captions", json={**CAPTIONS, "input": "One [voice:nobody] two"}).json()["words"]
    assert len(words) > 2


CAPTIONS = {"model": "hum", "voice": "hum"}


def test_each_turn_has_its_own_voice_speed_and_model(api: httpx.Client) -> None:
    turns = [
        {"text": "Hummed.", "voice": "hum"},
        {"text": "Spoken in English.", "voice": "en-gb", "speed": 2.0},
        {"text": "Spoken by another.", "voice": {"id": "af_sky"}},
    ]
    answer = api.post("/v1/audio/speech", json={"turns": turns, "response_format": "flac"}).raise_for_status()
    samples, _ = decode(answer.content)
    assert len(samples) > 24_000
    unknown = api.post("/v1/audio/speech", json={"turns": [*turns, {"text": "Hm.", "voice": "nobody"}]})
    assert unknown.status_code == 400
    assert "nobody" in unknown.json()["error"]["message"]


def test_words_are_placed_in_their_turns(api: httpx.Client) -> None:
    words = api.post("/v1/audio/captions", json={**CAPTIONS, "turns": TURNS}).raise_for_status().json()["words"]
    assert [(word["turn"], word["word"]) for word in words] == [
        (0, "Ten"), (0, "signs."), (1, "And"), (1, "twenty"), (1, "of"), (1, "them.."),
    ]  # fmt: skip
    assert words[2]["start"] == pytest.approx(2.5 - SILENCE_BEHIND - SILENCE_BEFORE, abs=0.01)
    assert words[2]["text_start"] == 0


def test_words_of_marked_text_are_placed_in_the_whole_of_it(api: httpx.Client) -> None:
    text = "One. [voice:slow] Two. [pause:1s] Three."
    body = {**CAPTIONS, "input": text, "dialogue": True}
    words = api.post("/v1/audio/captions", json=body).raise_for_status().json()["words"]
    assert [text[word["text_start"] : word["text_end"]] for word in words] == ["One.", "Two.", "Three."]


@pytest.mark.parametrize(
    ("fields", "field", "status"),
    [
        ({"turns": []}, "turns", 400),
        ({"turns": [{"text": " "}]}, "turns[0].text", 400),
        ({"turns": [{"text": "x", "pause": 11}]}, "turns[0].pause", 400),
        ({"turns": [{"text": "x"}], "input": "y"}, "input", 400),
        ({"turns": [{"text": "x", "tone": "sad"}]}, "turns[0].tone", 400),
        ({"turns": [{"text": "x"}] * 501}, None, 413),
        ({"turns": [{"text": "x" * 5_000}] * 5}, None, 413),
        ({"input": "[pause:1s] [voice:hum]", "dialogue": True}, "input", 400),
        ({"input": "[voice:nobody] Hello.", "dialogue": True}, "voice", 400),
        ({"input": "Hello.", "loudness": 3}, "loudness", 400),
    ],
)
def test_what_is_no_dialogue_is_refused(
    api: httpx.Client, fields: dict[str, Any], field: str | None, status: int
) -> None:
    answer = speak(api, **fields)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["param"] == field


def test_the_whole_is_brought_to_a_loudness(api: httpx.Client) -> None:
    plain, rate = decode(speak(api, turns=TURNS).content)
    quiet, _ = decode(speak(api, turns=TURNS, loudness=-30).raise_for_status().content)
    loud, _ = decode(speak(api, turns=TURNS, loudness=-20).raise_for_status().content)
    assert len(plain) == len(quiet) == len(loud), rate
    ratio = np.abs(loud.astype(float)).max() / np.abs(quiet.astype(float)).max()
    assert 20 * np.log10(ratio) == pytest.approx(10, abs=0.1)


def test_captions_show_what_is_said_without_the_marks(api: httpx.Client) -> None:
    text = "One. [voice:slow] “Two.” [pause:1s] Three."
    body = {**CAPTIONS, "input": text, "dialogue": True, "caption_format": "vtt"}
    shown = api.post("/v1/audio/captions", json=body).raise_for_status().text
    assert [line for line in shown.splitlines() if line and "-->" not in line] == ["WEBVTT", "One.", "“Two.”", "Three."]


def test_a_whole_document_is_brought_to_a_loudness(api: httpx.Client) -> None:
    document = documents.make(api, "A document that is hummed. " * 5)
    path = f"/api/v1/documents/{document['id']}/audio"
    asked = {"model": "hum", "response_format": "wav"}
    quiet, loud = (
        decode(api.get(path, params={**asked, "loudness": loudness}).raise_for_status().content)[0]
        for loudness in (-30, -20)
    )
    ratio = np.abs(loud.astype(float)).max() / np.abs(quiet.astype(float)).max()
    assert 20 * np.log10(ratio) == pytest.approx(10, abs=0.1)
    refused = api.get(path, params={**asked, "loudness": 3})
    assert refused.status_code == 400
    assert "-40 to -8" in refused.json()["detail"]

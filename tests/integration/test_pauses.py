"""The pauses between what is heard: of a text, of a dialogue, of a document and of its blocks."""

from typing import Any

import httpx
import numpy as np
import pytest

from lectern_contract import PAUSES, SILENCE_BEFORE, SILENCE_BEHIND
from tests.integration import documents
from tests.integration.audio import decode

HUM = {"model": "hum", "response_format": "wav"}  # a second for each ten characters, and no silence around them
AROUND = SILENCE_BEFORE + SILENCE_BEHIND  # seconds that a segment may bring itself
TURNS: list[dict[str, Any]] = [{"text": "Ten signs."}, {"text": "And twenty of them.."}]
DOCUMENT = "# A heading of five words\n\n- An item of this list.\n\nA paragraph that ends it."


def silences(answer: httpx.Response) -> list[float]:
    """How long each silence of more than 0.2 s is, in seconds."""
    samples, rate = decode(answer.raise_for_status().content)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], samples == 0, [False]]).astype(int))).reshape(-1, 2)
    return [float(end - start) / rate for start, end in edges if end - start > rate / 5]


def near(*seconds: float) -> Any:
    return pytest.approx([one - AROUND for one in seconds], abs=0.005)


def test_a_turn_follows_another_as_a_sentence_does_unless_it_asks_for_a_pause(api: httpx.Client) -> None:
    def speak(turns: list[dict[str, Any]], **fields: Any) -> list[float]:
        return silences(api.post("/v1/audio/speech", json={**HUM, "turns": turns, **fields}))

    assert speak(TURNS) == near(PAUSES["sentence"])
    assert speak(TURNS, pauses={"sentence": 1.2, "heading": None}) == near(1.2)
    (shortened,) = speak(TURNS, pauses={"sentence": 1.2}, speed=2)
    assert 0.3 < shortened <= (1.2 - AROUND) / 2 + 0.02  # it gives of its time to the words
    asked: list[dict[str, Any]] = [TURNS[0], {**TURNS[1], "pause": 2.0}]
    assert speak(asked, pauses={"sentence": 1.2}) == near(2.0)


def test_a_document_has_the_pauses_of_its_structure_and_none_at_its_end(api: httpx.Client) -> None:
    document = documents.make(api, DOCUMENT)
    path = f"/api/v1/documents/{document['id']}/audio"
    assert silences(api.get(path, params=HUM)) == near(PAUSES["heading"], PAUSES["list_item"])
    chosen = {**HUM, "pauses": "heading:1.5,list_item:0.4"}
    assert silences(api.get(path, params=chosen)) == near(1.5, 0.4)


def test_a_block_ends_with_its_pause_so_that_the_next_one_may_follow_at_once(api: httpx.Client) -> None:
    document = documents.make(api, DOCUMENT)
    blocks = f"/api/v1/documents/{document['id']}/blocks"
    heading, *_, paragraph = api.get(blocks).json()["items"]
    for block, kind in ((heading, "heading"), (paragraph, "paragraph")):
        answer = api.get(f"{blocks}/{block['id']}/audio", params={**HUM, "pauses": f"{kind}:1.1"})
        assert silences(answer) == near(1.1)
        cached = api.get(answer.headers["content-location"])
        assert (
            cached.content == api.get(f"{blocks}/{block['id']}/audio", params={**HUM, "pauses": f"{kind}:1.1"}).content
        )
        assert silences(cached) == near(1.1)


def test_captions_know_of_the_pauses(api: httpx.Client) -> None:
    body = {"model": "hum", "turns": TURNS, "pauses": {"sentence": 1.1}}
    words = api.post("/v1/audio/captions", json=body).raise_for_status().json()["words"]
    assert words[2]["start"] == pytest.approx(1.0 + 1.1 - AROUND, abs=0.01)


@pytest.mark.parametrize(
    ("pauses", "message"),
    [
        ({"sentence": 11}, "pauses.sentence"),
        ({"sentence": -1}, "pauses.sentence"),
        ({"chapter": 1}, "chapter"),
        (1, "pauses"),
    ],
)
def test_pauses_that_cannot_be_are_refused(api: httpx.Client, pauses: Any, message: str) -> None:
    answer = api.post("/v1/audio/speech", json={**HUM, "input": "Hello.", "pauses": pauses})
    assert answer.status_code == 400
    assert message in answer.text


@pytest.mark.parametrize("pauses", ["chapter:1", "sentence", "sentence:11", "sentence:0.5;clause:1"])
def test_a_line_of_pauses_that_cannot_be_is_refused(api: httpx.Client, pauses: str) -> None:
    document = documents.make(api, DOCUMENT)
    answer = api.get(f"/api/v1/documents/{document['id']}/audio", params={**HUM, "pauses": pauses})
    assert answer.status_code == 400
    assert "pauses" in answer.text

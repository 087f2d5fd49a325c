"""The pause behind each segment, and what the model is told of the pauses inside it."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from lectern.voicing import Voicing
from lectern_contract import PAUSES, SILENCE_BEFORE, SILENCE_BEHIND, Break
from lectern_contract.pauses import NoPauses, parse, spelled
from orchestrator.lib.errors.problems import BadRequest
from orchestrator.speech.planner.script import (
    Origin,
    Script,
    SegmentText,
    Utterance,
    make_segment,
    script_of_block,
    script_of_blocks,
    script_of_utterances,
)
from orchestrator.speech.planner.voicing import ResolvedVoicing, resolve
from orchestrator.speech.settings import SpeechSettings
from orchestrator.voices.voice import Voice

SENTENCE = "The quick brown fox, which had slept all day, ran over the hill and was not seen again. "  # about 6 seconds
VOICE = Voice(
    name="af_heart", model="kokoro", model_version="1", language="en-US", gender=None, description="",
    parameters={"voice": "af_heart"}, features=frozenset({"pauses", "markup"}),
)  # fmt: skip


def voicing(pauses: Mapping[Break, float] | None = None, voice: Voice = VOICE, **asked: Any) -> ResolvedVoicing:
    return resolve(Voicing(pauses=pauses, **asked), voice, SpeechSettings())


def silence(kind: Break) -> float:
    """What stands between two segments, whose sounds have a little silence around them."""
    return round(PAUSES[kind] - SILENCE_BEFORE - SILENCE_BEHIND, 3)


def said(*texts: str | tuple[str, float], voiced: ResolvedVoicing | None = None) -> Script:
    """The script of turns, some of which ask for a pause before them."""
    utterances = [
        Utterance(
            text=one if isinstance(one, str) else one[0],
            voicing=voiced or voicing(),
            origin=Origin(text=""),
            silence=None if isinstance(one, str) else one[1],
        )
        for one in texts
    ]
    return script_of_utterances(utterances, 5.0)


def pauses_of(script: Script) -> list[float]:
    return [segment.pause for segment in script.segments]


@pytest.mark.parametrize("kind", list(PAUSES))
def test_behind_a_block_is_the_pause_of_what_ends_with_it(kind: Break) -> None:
    blocks = [SegmentText("One.", Origin(text="One."), ends=kind), SegmentText("Two.", Origin(text="Two."), ends=kind)]
    assert pauses_of(script_of_blocks(blocks, voicing())) == [silence(kind), 0.0]
    assert pauses_of(script_of_blocks(blocks, voicing({kind: 3.1}))) == [3.0, 0.0]


def test_a_block_that_is_played_alone_has_its_pause_too() -> None:
    block = SegmentText("One.", Origin(text="One."), ends="heading")
    assert pauses_of(script_of_block(block, voicing())) == [silence("heading")]


def test_the_speed_shortens_pauses() -> None:
    block = SegmentText("One.", Origin(text="One."), ends="paragraph")
    assert pauses_of(script_of_block(block, voicing({"paragraph": 2.1}, speed=2.0))) == [1.0]


def test_a_pause_that_is_as_short_as_the_silence_around_sounds_adds_nothing() -> None:
    block = SegmentText("One.", Origin(text="One."), ends="paragraph")
    assert pauses_of(script_of_block(block, voicing({"paragraph": 0.05}))) == [0.0]


@pytest.mark.parametrize(("text", "kind"), [(SENTENCE * 8, "sentence"), (f"{SENTENCE * 3}\n\n" * 4, "paragraph")])
def test_between_the_segments_of_a_text_are_its_own_pauses_and_none_behind_it(text: str, kind: Break) -> None:
    *before, last = pauses_of(said(text))
    assert (before[-1], last) == (silence(kind), 0.0)  # the first segment is short, and ends with a sentence


def test_words_of_one_sentence_are_not_parted() -> None:
    assert set(pauses_of(said("word " * 200))) == {0.0}


def test_a_turn_follows_another_as_a_sentence_does() -> None:
    assert pauses_of(said("One.", "Two.", "Three.")) == [silence("sentence"), silence("sentence"), 0.0]
    assert pauses_of(said("Well,", "here it is.")) == [silence("clause"), 0.0]


@pytest.mark.parametrize("asked", [0.0, 1.5])
def test_a_pause_that_a_turn_asks_for_replaces_the_one_behind_the_turn_before(asked: float) -> None:
    script = said("One.", ("…", asked), ("Two.", 0.0))
    assert pauses_of(script) == [0.0, 0.0]
    assert [segment.silence for segment in script.segments] == [0.0, max(0.0, asked - SILENCE_BEFORE - SILENCE_BEHIND)]


def test_a_pause_that_a_turn_asks_for_is_as_long_as_one_that_it_gets_and_as_fast() -> None:
    fast = voicing(speed=2)
    given = pauses_of(said("One.", "Two.", voiced=fast))[0]
    script = said("One.", ("Two.", PAUSES["sentence"]), voiced=fast)
    assert [segment.silence for segment in script.segments] == [0.0, given]


@pytest.mark.parametrize("markup", [f"{SENTENCE}[pause:2s]", f"{SENTENCE}[pause:2s] "])
def test_a_pause_of_the_markup_between_two_segments_replaces_the_sentences_own(markup: str) -> None:
    turns = [markup, SENTENCE]
    assert pauses_of(said(*turns, voiced=voicing(markup=True))) == [0.0, 0.0]
    assert pauses_of(said(*reversed(turns), voiced=voicing(markup=True))) == [silence("sentence"), 0.0]
    assert pauses_of(said("One.", f"[pause:2s] {SENTENCE}", voiced=voicing(markup=True))) == [0.0, 0.0]


def asked_of_model(text: str, pauses: Mapping[Break, float], voice: Voice = VOICE) -> Any:
    return make_segment(SegmentText(text, Origin(text=text)), voicing(pauses, voice)).voice.get("pauses")


def test_the_model_is_told_of_the_pauses_that_may_be_in_a_text() -> None:
    every: Mapping[Break, float] = {"clause": 0.2, "sentence": 0.6, "list_item": 0.7, "paragraph": 1.0, "heading": 2.0}
    assert asked_of_model("One. Two.", every) == {"clause": 0.2, "sentence": 0.6}
    assert asked_of_model("One.\nTwo.", every) == {"clause": 0.2, "sentence": 0.6, "list_item": 0.7}
    assert asked_of_model("One.\n\nTwo.", every) == {"clause": 0.2, "sentence": 0.6, "paragraph": 1.0}
    assert asked_of_model("One.\n\n\nTwo.", every) == {"clause": 0.2, "sentence": 0.6, "heading": 2.0}


def test_a_pause_that_is_not_in_a_text_makes_no_other_key() -> None:
    text = SegmentText("One. Two.", Origin(text="One. Two."), ends="paragraph")
    usual = make_segment(text, voicing()).key
    assert make_segment(text, voicing({"heading": 2.0})).key == usual
    assert make_segment(text, voicing({"sentence": 2.0})).key != usual


def test_a_model_that_makes_no_pauses_inside_is_not_told_of_them() -> None:
    other = msgspec.structs.replace(VOICE, features=frozenset())
    assert asked_of_model("One. Two.", {"sentence": 2.0}, other) is None
    block = SegmentText("One.", Origin(text="One."), ends="sentence")
    assert pauses_of(script_of_block(block, voicing({"sentence": 2.1}, other))) == [2.0]


@pytest.mark.parametrize(
    ("pauses", "message"),
    [
        ({"sentence": 11.0}, "pauses.sentence"),
        ({"heading": -0.1}, "pauses.heading"),
        ({"clause": float("nan")}, "0 to 10"),
        ({"chapter": 1.0}, "chapter"),
    ],
)
def test_a_pause_that_cannot_be_is_refused(pauses: Any, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        voicing(pauses)


def test_pauses_have_a_line_of_their_own() -> None:
    line = "sentence:0.6,paragraph:1.2"
    assert parse(line) == {"sentence": 0.6, "paragraph": 1.2}
    assert spelled(parse(f" {line.replace(',', ' , ')} ")) == line


@pytest.mark.parametrize(
    "line", ["sentence", "sentence:", "sentence:-1", "chapter:1", "sentence:1;", "sentence:1,", ""]
)
def test_a_line_that_names_no_pauses_is_refused(line: str) -> None:
    with pytest.raises(NoPauses, match="write it as"):
        parse(line)

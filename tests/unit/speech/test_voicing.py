"""What may be asked of a voice, and what is said where it may not."""

from typing import Any

import msgspec
import pytest

import lectern_contract as contract
from lectern.voicing import Voicing
from orchestrator.lib.errors.problems import BadRequest, Problem, TooLarge
from orchestrator.speech.planner.voicing import ResolvedVoicing, resolve
from orchestrator.speech.settings import SpeechSettings
from orchestrator.voices.voice import Voice

LIMITS = SpeechSettings(max_lexicon=2, max_instructions=10)
PLAIN = Voice(
    name="en-us",
    model="espeak",
    model_version="1",
    language="en-US",
    gender=None,
    description="",
    parameters={"pitch": 50},
)
ABLE = Voice(
    name="able",
    model="able",
    model_version="1",
    language="en",
    gender=None,
    description="",
    parameters={"pitch": 50},
    features=frozenset({"lexicon", "normalization", "markup", "seed", "instructions"}),
)


def asked(voice: Voice = ABLE, **fields: Any) -> ResolvedVoicing:
    return resolve(Voicing(**fields), voice, LIMITS)


def test_what_is_left_out_is_the_voices_own() -> None:
    plain = asked(PLAIN)
    assert (plain.language, plain.speed, plain.parameters, plain.lexicon) == ("en-US", 1.0, {"pitch": 50}, {})
    assert asked(PLAIN, language="de").language == "de"


def test_what_the_model_can_be_told_it_is_told() -> None:
    told = asked(seed=0, instructions="softly", normalization={"money": False}, lexicon={"tea": "tiː"}, markup=True)
    assert told.parameters == {
        "pitch": 50,
        "seed": 0,
        "instructions": "softly",
        "normalization": {"money": False},
    }
    assert told.lexicon == {"tea": "tiː"}
    assert told.markup


@pytest.mark.parametrize(
    ("speeds", "speed", "own", "tempo"),
    [
        ((1.0, 1.0), 1.0, 1.0, 1.0),
        ((1.0, 1.0), 2.0, 1.0, 2.0),
        ((1.0, 1.0), 0.3333333, 1.0, 0.333),
        ((0.5, 1.5), 1.25, 1.25, 1.0),
        ((0.5, 1.5), 3.0, 1.5, 2.0),
        ((0.5, 1.5), 0.25, 0.5, 0.5),
    ],
)
def test_what_no_model_speaks_is_the_tempo(speeds: tuple[float, float], speed: float, own: float, tempo: float) -> None:
    resolved = asked(msgspec.structs.replace(PLAIN, speeds=speeds), speed=speed)
    assert (resolved.speed, resolved.tempo) == (own, tempo)


def test_empty_wishes_change_nothing() -> None:
    assert asked(instructions="", normalization={}, lexicon={}, markup=False) == asked()
    assert not asked().markup


def test_what_changes_no_word_is_left_out_where_the_model_cannot_do_it() -> None:
    assert asked(PLAIN, seed=7, instructions="softly") == asked(PLAIN)


@pytest.mark.parametrize("fields", [{"lexicon": {"tea": "tiː"}}, {"normalization": {"money": True}}, {"markup": True}])
def test_what_changes_words_is_refused_where_the_model_cannot_do_it(fields: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="cannot be used with the model 'espeak'") as refused:
        asked(PLAIN, **fields)
    assert refused.value.errors[0].field == next(iter(fields))


@pytest.mark.parametrize("language", ["en", "en-GB", "zh-Hant-TW", "de-1996"])
def test_a_tag_of_a_language_is_taken(language: str) -> None:
    assert asked(language=language).language == language


LONG = "x" * (contract.MAX_LEXICON_TEXT + 1)


@pytest.mark.parametrize(
    ("field", "value", "error", "message"),
    [
        ("speed", float("nan"), BadRequest, "from 0.25 to 4"),
        ("speed", float("inf"), BadRequest, "from 0.25 to 4"),
        ("language", "", BadRequest, "BCP 47"),
        ("language", "english please", BadRequest, "BCP 47"),
        ("language", "en_US", BadRequest, "BCP 47"),
        ("language", "en-", BadRequest, "BCP 47"),
        ("instructions", "x" * 11, TooLarge, "at most 10"),
        ("instructions", "a\x00b", BadRequest, "U+0000"),
        ("instructions", "   ", BadRequest, "is empty"),
        ("lexicon", {"a": "a", "b": "b", "c": "c"}, BadRequest, "at most 2"),
        ("lexicon", {"": "a"}, BadRequest, "empty word"),
        ("lexicon", {"a": " "}, BadRequest, "empty word"),
        ("lexicon", {LONG: "a"}, BadRequest, "more than"),
        ("lexicon", {"a": LONG}, BadRequest, "more than"),
        ("lexicon", {"a": "\x07"}, BadRequest, "U+0007"),
    ],
)
def test_a_bad_wish_is_refused_in_words(field: str, value: Any, error: type[Problem], message: str) -> None:
    with pytest.raises(error) as refused:
        asked(**{field: value})
    assert message in refused.value.detail
    assert field in refused.value.detail

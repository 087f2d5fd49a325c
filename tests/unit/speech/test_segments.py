"""What changes the samples changes the key, and nothing else does."""

from typing import Any

import msgspec
import numpy as np
import pytest

from orchestrator.speech.planner.script import Origin, Segment, SegmentText, make_segment, script_of_blocks
from orchestrator.speech.planner.voicing import ResolvedVoicing
from orchestrator.voices.voice import Prompt, Voice, digest_of

VOICE = Voice(
    name="en-us",
    model="espeak",
    model_version="1",
    language="en-US",
    gender=None,
    description="",
    parameters={"language": "en-us", "pitch": 50},
)


def prompted(seed: int = 0, transcript: str = "What is said.") -> Voice:
    samples = np.full(100, seed, np.int16)
    return msgspec.structs.replace(VOICE, prompt=Prompt(digest_of(samples), samples, 24_000, transcript))


def key(text: str = "Hello.", voice: Voice = VOICE, **asked: Any) -> str:
    return segment(text, voice, **asked).key


def segment(text: str, voice: Voice = VOICE, **asked: Any) -> Segment:
    return make_segment(SegmentText(text, Origin(text=text)), voicing(voice, **asked))


def voicing(voice: Voice, **asked: Any) -> ResolvedVoicing:
    return ResolvedVoicing(**{"voice": voice, "parameters": voice.parameters, "language": voice.language, **asked})


@pytest.mark.parametrize(
    "changed",
    [
        key(text="Hello"),
        key(speed=1.25),
        key(voice=msgspec.structs.replace(VOICE, model="other")),
        key(voice=msgspec.structs.replace(VOICE, model_version="2")),
        key(voice=msgspec.structs.replace(VOICE, language="en-GB")),
        key(voice=msgspec.structs.replace(VOICE, parameters={"language": "en-us", "pitch": 51})),
        key(parameters={**VOICE.parameters, "seed": 1}),
        key(language="de"),
        key(lexicon={"hello": "hɛˈloʊ"}),
        key(markup=True),
    ],
)
def test_what_is_heard_is_in_the_key(changed: str) -> None:
    assert changed != key()


@pytest.mark.parametrize(
    "same",
    [
        key(speed=1),
        key(tempo=1.5),
        make_segment(SegmentText("Hello.", Origin(text="Hello."), ends="heading"), voicing(VOICE)).key,
        key(voice=msgspec.structs.replace(VOICE, name="alias", description="another text", gender="female")),
        key(voice=msgspec.structs.replace(VOICE, parameters={"pitch": 50, "language": "en-us"})),
        key(lexicon={"goodbye": "ɡʊdˈbaɪ"}),
    ],
)
def test_what_is_not_heard_is_not_in_the_key(same: str) -> None:
    assert same == key()


def test_a_prompt_is_in_the_key_by_its_samples_and_its_words() -> None:
    assert key(voice=prompted()) == key(voice=prompted()) != key()
    assert len({key(), key(voice=prompted(0)), key(voice=prompted(1)), key(voice=prompted(0, "Other words."))}) == 4


def test_a_prompt_goes_with_each_segment() -> None:
    for text in ("one", "two"):
        reference = segment(text, prompted(7)).reference
        assert reference is not None
        assert (reference.audio[0], reference.sample_rate, reference.text) == (
            7, 24_000, "What is said.",
        )  # fmt: skip
    assert segment("one").reference is None


def test_segments_keep_the_order_of_the_texts() -> None:
    texts = ["one", "two", "three"]
    script = script_of_blocks([SegmentText(text, Origin(text=text)) for text in texts], voicing(VOICE))
    assert [segment.text for segment in script.segments] == texts

"""What changes the samples changes the key, and nothing else does."""

import msgspec
import pytest

from orchestrator.speech.plan import plan
from orchestrator.voices.catalog import Voice

VOICE = Voice(
    name="en-us",
    model="espeak",
    model_version="1",
    language="en-US",
    gender=None,
    description="",
    parameters={"language": "en-us", "pitch": 50},
)


def key(text: str = "Hello.", voice: Voice = VOICE, speed: float = 1.0) -> str:
    return plan([text], voice, speed)[0].key


@pytest.mark.parametrize(
    "changed",
    [
        key(text="Hello"),
        key(speed=1.25),
        key(voice=msgspec.structs.replace(VOICE, model="other")),
        key(voice=msgspec.structs.replace(VOICE, model_version="2")),
        key(voice=msgspec.structs.replace(VOICE, language="en-GB")),
        key(voice=msgspec.structs.replace(VOICE, parameters={"language": "en-us", "pitch": 51})),
    ],
)
def test_what_is_heard_is_in_the_key(changed: str) -> None:
    assert changed != key()


@pytest.mark.parametrize(
    "same",
    [
        key(speed=1),
        key(voice=msgspec.structs.replace(VOICE, name="alias", description="another text", gender="female")),
        key(voice=msgspec.structs.replace(VOICE, parameters={"pitch": 50, "language": "en-us"})),
    ],
)
def test_what_is_not_heard_is_not_in_the_key(same: str) -> None:
    assert same == key()


def test_segments_keep_the_order_of_the_texts() -> None:
    assert [segment.text for segment in plan(["one", "two", "three"], VOICE, 1.0)] == ["one", "two", "three"]

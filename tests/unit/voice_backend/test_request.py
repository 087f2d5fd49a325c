import json
from typing import Any

import numpy as np
import pytest

import lectern_contract as contract
from lectern_triton.voice_backend.request import Cancel, Describe, Speak, read_request
from lectern_triton.voice_backend.voice import BadRequest


def tensors(text: str | bytes = "Hello.", voice: str | bytes = "{}", **more: Any) -> dict[str, Any]:
    given = {"text": text, "voice": voice, **more}
    return {name: tensor(value) for name, value in given.items()}


def tensor(value: Any) -> Any:
    if isinstance(value, str):
        value = value.encode()
    return np.array([value], np.object_) if isinstance(value, bytes) else np.asarray(value)


def refusal(given: dict[str, Any], **parameters: Any) -> str:
    with pytest.raises(BadRequest) as refused:
        read_request(given, json.dumps(parameters))
    return str(refused.value)


def test_a_small_request_has_the_defaults() -> None:
    request = read_request(tensors(), "")
    assert isinstance(request, Speak)
    assert request.segment.lane == "live"
    assert request.deadline is None
    segment = request.segment
    assert (segment.text, segment.voice, segment.language, segment.speed) == ("Hello.", {}, None, 1.0)
    assert (segment.lexicon, segment.reference, segment.previous, segment.markup) == ({}, None, None, False)


def test_everything_that_is_given_arrives() -> None:
    given = tensors(
        voice='{"pitch": 40}',
        language="en-GB",
        speed=np.array([1.5], np.float32),
        lexicon='{"Lectern": "ˈlɛktən"}',
        reference_audio=np.arange(8, dtype=np.int16),
        reference_rate=np.array([16_000], np.int32),
        reference_text="so it sounds",
        previous_audio=np.arange(3, dtype=np.int16),
        previous_rate=np.array([24_000], np.int32),
        previous_text="so it went",
    )
    parameters = {"lane": "batch", "deadline_ms": 1500, "markup": True, "triton_enable_empty_final_response": True}
    request = read_request(given, json.dumps(parameters))
    assert isinstance(request, Speak)
    assert (request.segment.lane, request.deadline) == ("batch", 1.5)
    segment = request.segment
    assert (segment.voice, segment.language, segment.speed) == ({"pitch": 40}, "en-GB", 1.5)
    assert segment.lexicon == {"Lectern": "ˈlɛktən"}
    assert segment.markup
    assert segment.reference is not None
    assert (segment.reference.audio.tolist(), segment.reference.rate) == (list(range(8)), 16_000)
    assert segment.reference.text == "so it sounds"
    assert segment.previous is not None
    assert (segment.previous.audio.tolist(), segment.previous.rate) == ([0, 1, 2], 24_000)
    assert segment.previous.text == "so it went"


def test_a_request_for_the_card_needs_no_speakable_text() -> None:
    assert isinstance(read_request(tensors(text=""), '{"describe": true}'), Describe)


def test_a_request_to_cancel_names_another_request() -> None:
    assert read_request(tensors(text=""), '{"cancel": "abc"}') == Cancel("abc")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the text is empty"),
        (" \n\t ", "the text is empty"),
        ("... —!?", "no letter or number"),
        ("a" * (contract.MAX_TEXT + 1), "at most 2000"),
        (b"x" * 100_000, "at most 8000"),
        (b"\xed\xa0\x80", "not valid UTF-8 at byte 0"),
        (b"tea \xe9", "not valid UTF-8 at byte 4"),
        ("a\x00b", "U+0000 at 1"),
        ("a\x1b[1m", "U+001B at 1"),
        ("a\x85", "U+0085 at 1"),
    ],
)
def test_text_that_cannot_be_spoken_is_refused(text: str | bytes, says: str) -> None:
    assert says in refusal(tensors(text=text))


@pytest.mark.parametrize("text", ["7", "é", "你", "+", "🎉", "line\nline\ttab\r", "a\u200db", "x" * contract.MAX_TEXT])
def test_text_that_can_be_spoken_is_taken(text: str) -> None:
    request = read_request(tensors(text=text), "{}")
    assert isinstance(request, Speak)
    assert request.segment.text == text


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"voice": "nope"}, "voice is not valid JSON"),
        ({"voice": "[]"}, "voice is not what it must be"),
        ({"voice": "[" * 60_000}, "voice"),
        ({"voice": "{" + " " * 70_000 + "}"}, "at most 65536"),
        ({"language": "en_GB"}, "BCP 47"),
        ({"language": ""}, "BCP 47"),
        ({"speed": np.array([0.0], np.float32)}, "between 0.25 and 4"),
        ({"speed": np.array([4.01], np.float32)}, "between 0.25 and 4"),
        ({"speed": np.array([np.nan], np.float32)}, "speed is nan"),
        ({"speed": np.array([np.inf], np.float32)}, "speed is inf"),
        ({"lexicon": '{"a": 1}'}, "lexicon is not what it must be"),
        ({"lexicon": '{"a": " "}'}, "empty word or pronunciation"),
        ({"lexicon": json.dumps({str(n): "a" for n in range(1_001)})}, "at most 1000"),
        ({"lexicon": json.dumps({"a" * 201: "a"})}, "more than 200 characters"),
        ({"reference_text": "said"}, "need reference_audio"),
        ({"reference_audio": np.zeros(4, np.int16)}, "needs reference_rate"),
        ({"reference_audio": np.zeros(0, np.int16), "reference_rate": np.array([16_000])}, "must have 1 to"),
        ({"reference_audio": np.zeros(4, np.int16), "reference_rate": np.array([0])}, "between 8000"),
        ({"previous_text": "said"}, "need previous_audio"),
        ({"previous_audio": np.zeros(4, np.int16)}, "needs previous_rate"),
        ({"previous_audio": np.zeros(0, np.int16), "previous_rate": np.array([16_000])}, "must have 1 to"),
        ({"previous_audio": np.zeros(4, np.int16), "previous_rate": np.array([7_999])}, "between 8000"),
    ],
)
def test_an_input_out_of_bounds_is_refused(more: dict[str, Any], says: str) -> None:
    assert says in refusal(tensors(**more))


def test_a_missing_input_is_named() -> None:
    assert "'voice' is missing" in refusal({"text": tensor("Hello.")})


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"lane": "fast"}, "use live or batch"),
        ({"lane": 1}, "use live or batch"),
        ({"deadline_ms": 0}, "between 1 and"),
        ({"deadline_ms": -5}, "between 1 and"),
        ({"deadline_ms": 1.5}, "must be an integer"),
        ({"deadline_ms": True}, "must be an integer"),
        ({"deadline_ms": 10**12}, "between 1 and"),
        ({"describe": "yes"}, "true or false"),
        ({"cancel": 5}, "id of a request"),
        ({"priority": 1}, "unknown request parameter 'priority'"),
    ],
)
def test_a_parameter_out_of_bounds_is_refused(parameters: dict[str, Any], says: str) -> None:
    assert says in refusal(tensors(), **parameters)


def test_text_is_composed_and_so_are_the_words_of_a_lexicon() -> None:
    given = tensors("cafe\u0301", lexicon='{"cafe\u0301": "kæfˈA"}')
    given |= tensors(reference_audio=np.arange(8, dtype=np.int16), reference_rate=np.array([16_000], np.int32),
                     reference_text="o\u0302", text="cafe\u0301")  # fmt: skip
    request = read_request(given, "")
    assert isinstance(request, Speak)
    assert request.segment.text == "café"
    assert list(request.segment.lexicon) == ["café"]
    assert request.segment.reference is not None
    assert request.segment.reference.text == "ô"
    assert request.nfc.original_mark((0, 5, 0, 4)) == (0, 5, 0, 5)

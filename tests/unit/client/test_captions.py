"""Words in time as files of captions."""

import json

import pytest

from lectern.caption_cues import LINE
from lectern.captions import captions
from lectern.types import CaptionFormat, Word


def said(text: str, *, seconds: float = 0.5, gap: float = 0.0) -> list[Word]:
    """A word of `seconds` for each of the text's, with `gap` seconds between them."""
    words, place = [], 0
    for number, word in enumerate(text.split()):
        start = text.index(word, place)
        place = start + len(word)
        begin = number * (seconds + gap)
        words.append(Word(word=word, start=begin, end=begin + seconds, text_start=start, text_end=place))
    return words


def test_json_has_every_word_and_the_length() -> None:
    written = json.loads(captions(said("Good morning."), "Good morning.", 1.25, "json"))
    assert written["duration"] == 1.25
    assert written["words"][1] == {"word": "morning.", "start": 0.5, "end": 1.0, "text_start": 5, "text_end": 13}


def test_srt_has_a_cue_for_each_sentence() -> None:
    text = "Good morning. How do\nyou do?"
    assert captions(said(text), text, 3.0, "srt") == (
        "1\n00:00:00,000 --> 00:00:01,000\nGood morning.\n\n2\n00:00:01,000 --> 00:00:03,000\nHow do you do?\n\n"
    )


def test_vtt_escapes_what_would_be_markup() -> None:
    text = "If a<b & so on"
    assert captions(said(text), text, 2.5, "vtt") == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:02.500\nIf a&lt;b &amp; so on\n\n"
    )


def test_a_pause_ends_a_cue() -> None:
    assert captions(said("one two", gap=1.0), "one two", 2.0, "srt").count("-->") == 2


def test_no_cue_is_long_or_wide() -> None:
    text = "word " * 100
    lines = captions(said(text, seconds=0.3), text, 30.0, "srt").split("\n")
    assert max(len(line) for line in lines) <= LINE
    slow = captions(said("a b c d e f g h", seconds=2.0), "a b c d e f g h", 16.0, "srt")
    assert slow.count("-->") == 3


@pytest.mark.parametrize(
    ("form", "expected"), [("json", '{"words":[],"duration":1.000}'), ("srt", ""), ("vtt", "WEBVTT\n\n")]
)
def test_silence(form: CaptionFormat, expected: str) -> None:
    assert captions([], "...", 1.0, form) == expected

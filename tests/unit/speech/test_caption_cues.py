"""Cues hold all of a text, in order, no more than can be read, and no longer than it is heard."""

import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectern.caption_cues import LINE, MOST_SECONDS, Cue, cues, lines
from orchestrator.speech.response.timeline import TimedWord
from tests.unit.speech.said import timed, word

CHARACTER = re.compile(r"\w")


def cut(text: str, words: list[TimedWord] | None = None, extent: tuple[int, int] | None = None) -> list[Cue]:
    return list(cues(timed(text) if words is None else words, text, extent or (0, len(text))))


def texts(text: str, words: list[TimedWord] | None = None) -> list[str]:
    return [cue.text for cue in cut(text, words)]


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It snowed. It rained.", ["It snowed.", "It rained."]),
        ("“It snowed.” She left.", ["“It snowed.”", "She left."]),
        ("She said. “It snowed.”", ["She said.", "“It snowed.”"]),
        ('She said. "It snowed."', ["She said.", '"It snowed."']),
        ("Why? (Nobody knows.) Well…", ["Why?", "(Nobody knows.)", "Well…"]),
        ("¿Por qué? ¡No!", ["¿Por qué?", "¡No!"]),
        ("« Bonjour ! » « Salut. »", ["« Bonjour ! »", "« Salut. »"]),
        ("Er sagte. »Hallo.« Ja.", ["Er sagte.", "»Hallo.«", "Ja."]),
        ("One. — Two.", ["One.", "— Two."]),
        ("  Spaces \n around.\tHere. ", ["Spaces around.", "Here."]),
        ("A heading\n\nIt snowed.", ["A heading", "It snowed."]),
        ("A heading\n \t\nIt snowed.", ["A heading", "It snowed."]),
    ],
)
def test_a_sentence_ends_a_cue_and_keeps_its_marks(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_chinese_sentences_end_cues_though_no_space_parts_them() -> None:
    text = "他说：“你好。”今天天气很好，我们去公园。『真的吗？』她问。"
    expected = ["他说：“你好。”", "今天天气很好，我们去公园。", "『真的吗？』", "她问。"]
    assert texts(text, timed(text, pattern=CHARACTER, each=0.1)) == expected


def test_a_pause_ends_a_cue() -> None:
    first, second = timed("Well then, we", each=0.2), timed("Well then, we", each=0.2, begin=2.0)
    words = [*first[:2], *second[2:]]
    assert texts("Well then, we", words) == ["Well then,", "we"]


def test_long_sentences_are_cut_where_they_would_be_too_wide_or_too_slow() -> None:
    text = " ".join(["quite"] * 100)
    for each in (0.1, 1.5):
        found = cut(text, timed(text, each=each))
        assert all(len(cue.text) <= 2 * LINE for cue in found)
        assert all(cue.end - cue.start <= MOST_SECONDS + 0.001 for cue in found)
        assert " ".join(cue.text for cue in found) == text
    assert len(cut(text, timed(text, each=1.5))) > len(cut(text, timed(text, each=0.1)))


def test_what_several_words_are_said_for_is_not_parted() -> None:
    """Such as 1999, said as three words, each of which stands for all of it."""
    said = [word("1999", 3.0 * place, 3.0 * place + 1, 3, 7) for place in range(4)]
    text = "in 1999 it"
    words = [word("in", 0.0, 0.1, 0, 2), *said, word("it", 12.0, 12.5, 8, 10)]
    assert texts(text, words) == ["in 1999", "it"]


def test_a_part_of_a_text_brings_only_its_own() -> None:
    text = "First part。第二部分没有空格在这里"
    words = [one for one in timed(text) if one.text_start < 10]
    assert [cue.text for cue in cut(text, words, (0, 11))] == ["First part。"]


def test_a_word_without_length_still_makes_a_cue_with_one() -> None:
    (cue,) = cut("Hm.", [word("Hm", 1.0, 1.0, 0, 2)])
    assert cue.end > cue.start


def test_words_without_a_text_make_no_cues() -> None:
    assert cut("— … —", []) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("short", "short"),
        ("x" * 100, "x" * 100),
        ("aaaa " * 12 + "b", "aaaa aaaa aaaa aaaa aaaa aaaa\naaaa aaaa aaaa aaaa aaaa aaaa b"),
        ("今天天气很好我们去公园散步吧明天也许会下雨呢。", "今天天气很好我们去公园\n散步吧明天也许会下雨呢。"),
        ("今天天气很好我们去公园「散步」也许会下雨呢啊。", "今天天气很好我们去公园\n「散步」也许会下雨呢啊。"),
        ("今天天气很好我们去公园。散步也许会下雨呢啊吗。", "今天天气很好我们去公园。\n散步也许会下雨呢啊吗。"),
        ("", ""),
    ],
)
def test_wide_text_is_two_lines(text: str, expected: str) -> None:
    assert lines(text) == expected


@given(st.text("ab 你好。“”", max_size=80))
def test_lines_lose_nothing(text: str) -> None:
    text = " ".join(text.split())
    broken = lines(text)
    assert broken.replace("\n", "").replace(" ", "") == text.replace(" ", "")
    assert broken.count("\n") <= 1
    if columns(text) <= LINE:
        assert broken == text


@settings(max_examples=200, deadline=None)
@given(
    text=st.text("abé .!?\"'“”‘’«»()—–-–…,;:>&<\n你好。！「」", max_size=300),
    each=st.floats(0, 3),
    pattern=st.sampled_from([re.compile(r"\w+"), CHARACTER, re.compile(r"\S+")]),
)
def test_cues_share_out_all_of_the_text_and_all_of_the_time(text: str, each: float, pattern: re.Pattern[str]) -> None:
    words = timed(text, each=each, pattern=pattern)
    found = cut(text, words)
    if not words:
        assert found == []
        return
    assert "".join("".join(cue.text.split()) for cue in found) == "".join(text.split())
    assert found[0].start == words[0].start
    assert found[-1].end >= words[-1].end
    assert all(before.start <= after.start for before, after in pairwise(found))
    assert all(cue.text and cue.text == " ".join(cue.text.split()) for cue in found)

"""The marks of a dialogue in plain text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.lib.errors.problems import BadRequest
from orchestrator.speech.planner.dialogue import PlannedTurn, tagged_turns
from orchestrator.speech.planner.script import Origin


def read(text: str) -> list[PlannedTurn]:
    return list(tagged_turns(text, longest_pause=10))


def test_without_marks_it_is_one_line() -> None:
    assert read("Hello there.") == [
        PlannedTurn("Hello there.", Origin(text="Hello there.", start=0, end=len("Hello there.")))
    ]


def test_a_mark_passes_the_word_on() -> None:
    said = read("Hello. [voice:one] Yes? [voice: two ]No.")
    assert [(turn.voice, turn.text) for turn in said] == [(None, "Hello. "), ("one", " Yes? "), ("two", "No.")]


def test_pauses_stand_before_what_follows_them_and_add_up() -> None:
    said = read("[pause:1s]One.[pause:250ms][voice:b][pause:0.5s]Two.[pause:3s]")
    assert [(turn.text, turn.silence) for turn in said] == [("One.", 1.0), ("Two.", 0.75)]


def test_a_pause_keeps_the_voice() -> None:
    assert [turn.voice for turn in read("[voice:a]One.[pause:1s]Two.")] == ["a", "a"]


def test_brackets_that_are_no_marks_are_text() -> None:
    text = "As [1] and [see: page 3] show, [voice] is a word."
    assert read(text) == [PlannedTurn(text, Origin(text=text, start=0, end=len(text)))]


@pytest.mark.parametrize(
    "mark", ["[voice:]", "[voice:  ]", "[pause:]", "[pause:long]", "[pause:11s]", "[pause:-1s]", "[pause:2]"]
)
def test_a_mark_that_cannot_be_followed_is_told_with_its_place(mark: str) -> None:
    with pytest.raises(BadRequest, match="at character 6"):
        read(f"Hello {mark} there.")


PARTS = st.sampled_from(["One.", " ", "[voice:a]", "[voice:b]", "[pause:1s]", "[", "]", "\n", "zwei", "[pause:0.25s]"])


@given(st.lists(PARTS, max_size=30).map("".join))
def test_lines_are_the_text_between_the_marks_in_order(text: str) -> None:
    said = read(text)
    assert all(text[turn.origin.start : turn.origin.start + len(turn.text)] == turn.text for turn in said)
    assert [turn.origin.start for turn in said] == sorted(turn.origin.start for turn in said)
    without = " ".join(turn.text for turn in said)
    for mark in ("[voice:a]", "[voice:b]", "[pause:1s]", "[pause:0.25s]"):
        text = text.replace(mark, " ")
    assert without.split() == text.split()

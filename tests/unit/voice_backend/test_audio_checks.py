import pytest

from lectern_triton.voice_backend.audio_checks import Implausible, check_length, check_marks
from lectern_triton.voice_backend.voice import Mark

SENTENCE = "The sky above the port was the colour of television, tuned to a dead channel."


@pytest.mark.parametrize("seconds", [2.0, 5.0, 30.0])
def test_what_a_voice_may_take_for_a_sentence(seconds: float) -> None:
    check_length(SENTENCE, seconds, 1.0)
    check_length(SENTENCE, seconds / 4, 4.0)
    check_length(SENTENCE, seconds * 4, 0.25)


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1_000.0])
def test_what_no_voice_takes_for_a_sentence(seconds: float) -> None:
    with pytest.raises(Implausible):
        check_length(SENTENCE, seconds, 1.0)


def test_a_tenth_of_a_long_text_is_too_short() -> None:
    with pytest.raises(Implausible):
        check_length(SENTENCE * 20, 0.1 * 5 * 20, 1.0)


@pytest.mark.parametrize(("text", "seconds"), [("1,000,000", 0.8), ("🎉", 1.1), ("你好", 0.5), ("I", 0.2), ("W", 0.7)])
def test_short_texts_of_other_kinds_are_plausible(text: str, seconds: float) -> None:
    check_length(text, seconds, 1.0)


def test_marks_in_order_are_plausible() -> None:
    check_marks("one two", 100, [(0, 40, 0, 3), (40, 100, 4, 7)])
    check_marks("one two", 100, [(0, 0, 0, 3), (0, 0, 4, 7)])


@pytest.mark.parametrize(
    "marks",
    [
        [(0, 101, 0, 3)],
        [(-1, 10, 0, 3)],
        [(10, 5, 0, 3)],
        [(0, 10, 0, 8)],
        [(0, 10, 3, 3)],
        [(0, 10, 4, 7), (10, 20, 0, 3)],
        [(0, 10, 0, 3), (5, 20, 4, 7)],
    ],
)
def test_marks_outside_or_out_of_order_are_not(marks: list[Mark]) -> None:
    with pytest.raises(Implausible):
        check_marks("one two", 100, marks)

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lectern_contract as contract
from orchestrator.text.blocks import cut_speech

SENTENCE = "The quick brown fox, which had slept all day, ran over the hill and was not seen again. "


def test_a_short_input_is_said_as_it_stands() -> None:
    (segment,) = cut_speech("  Hello\nthere ")
    assert (segment.start, segment.end, segment.spoken) == (2, 13, "Hello there")


def test_markdown_means_nothing_here() -> None:
    assert [segment.spoken for segment in cut_speech("# 5 *stars*")] == ["# 5 *stars*"]


def test_input_without_a_letter_or_digit_has_no_segments() -> None:
    assert cut_speech(" ... !? \n\n 👍") == []
    assert cut_speech("") == []


def test_paragraphs_share_a_segment_with_a_pause_between_them() -> None:
    (segment,) = cut_speech("Title\n\n* * *\n\nThe text")
    assert segment.spoken == "Title.\n\nThe text"
    assert (segment.start, segment.end) == (0, 22)


def test_long_input_is_cut_into_even_segments_at_sentences() -> None:
    segments = cut_speech(SENTENCE * 20)
    assert all(segment.spoken.endswith("again.") for segment in segments)
    assert all(10 <= segment.estimated_seconds <= 20 for segment in segments)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SENTENCE * 8, "sentence"),
        (f"{SENTENCE * 2}\n\n" * 4, "paragraph"),
        ("a very long clause without any end and, " * 20, "clause"),
        ("word " * 120, None),
    ],
)
def test_each_segment_tells_what_ends_with_it(text: str, expected: str | None) -> None:
    assert cut_speech(text)[0].ends == expected


def test_the_first_segment_can_be_short_for_a_quick_first_sound() -> None:
    first, *rest = cut_speech("Well, here it is. " + SENTENCE * 6, first_seconds=3)
    assert first.spoken == "Well, here it is."
    assert all(10 <= segment.estimated_seconds <= 20 for segment in rest)


def test_no_word_is_cut_off_only_to_be_quick() -> None:
    first, *_ = cut_speech(SENTENCE * 6, first_seconds=2)
    assert first.spoken.endswith((",", "."))


_TEXT = st.lists(
    st.sampled_from(
        ["word ", "a, ", "It. ", "“No!” ", "\n\n", "\n", "\t", "好，是。", "x" * 600, "1,000 ", "\u00ad", "!?", "👍"]
    ),
    max_size=80,
).map("".join)


@settings(max_examples=80, deadline=None)
@given(_TEXT, st.none() | st.floats(0.5, 30))
def test_segments_say_every_word_of_the_input_once_and_lead_back_to_it(text: str, first_seconds: float | None) -> None:
    segments = cut_speech(text, first_seconds=first_seconds)
    assert [c for s in segments for c in s.spoken if c.isalnum()] == [c for c in text if c.isalnum()]
    reached = 0
    for segment in segments:
        assert len(segment.spoken) <= contract.MAX_TEXT
        assert segment.estimated_seconds <= 20.01
        assert reached <= segment.start < segment.end <= len(text)
        position, shown = 0, segment.start
        for spoken_start, spoken_end, shown_start, shown_end in segment.spans:
            assert spoken_start == position < spoken_end
            assert shown <= shown_start <= shown_end <= segment.end
            position, shown = spoken_end, shown_end
        assert position == len(segment.spoken)
        reached = segment.end

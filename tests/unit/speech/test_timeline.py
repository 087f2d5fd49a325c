from itertools import pairwise

import pytest

from orchestrator.speech.response.timeline import shown_at
from orchestrator.text.blocks import cut_speech
from tests.unit.speech.said import WORD, chunk, segment
from tests.unit.speech.said import timeline as timeline_of


def test_words_are_timed_from_the_start_of_all_segments() -> None:
    timeline = timeline_of([segment("one two"), segment("three")], ["one two", "three"])
    first = timeline.add(0, chunk(1_000, (0, 400, 0, 3)))
    second = timeline.add(0, chunk(500, (500, 1_400, 4, 7)))
    third = timeline.add(1, chunk(2_000, (100, 900, 0, 5)))
    assert [(word.word, word.start, word.end) for word in (*first, *second, *third)] == [
        ("one", 0.0, 0.4),
        ("two", 0.5, 1.4),
        ("three", 1.6, 2.4),
    ]
    assert timeline.seconds == pytest.approx(3.5)


def test_segments_of_other_rates_keep_time() -> None:
    timeline = timeline_of([segment("one"), segment("two")], ["one", "two"])
    timeline.add(0, chunk(22_050, rate=22_050))
    (word,) = timeline.add(1, chunk(24_000, (12_000, 24_000, 0, 3), rate=24_000))
    assert (word.start, word.end) == (1.5, 2.0)


def test_words_are_those_of_the_text_that_was_sent() -> None:
    """Said as other words, in another place, and several for one."""
    shown = "Costs 3 € now"
    spans = [(0, 6, 0, 6), (6, 11, 6, 7), (11, 12, 7, 8), (12, 17, 8, 9), (17, 21, 9, 13)]
    said = "Costs three euros now"
    timeline = timeline_of([segment(said, spans)], [shown])
    marks = [(100 * place, 100 * place + 90, *found.span()) for place, found in enumerate(WORD.finditer(said))]
    assert [word.word for word in timeline.add(0, chunk(1_000, *marks))] == ["Costs", "3", "€", "now"]


@pytest.mark.parametrize(
    "text",
    [
        "“It snowed,” she said — twice (at least). It's 3.5 km & more. " * 8,
        "他说：“你好。”今天天气很好，我们去公园散步吧。" * 30,
        "First line.\n\n  Second\tparagraph — with *stars*.\r\n\r\nThird. " * 8,
        "  Leading space. And “quotes” at the end”  " * 20,
    ],
)
def test_every_word_of_every_segment_is_found_where_it_was_sent(text: str) -> None:
    drafts = cut_speech(text, language="en", first_seconds=5.0)
    segments = [segment(draft.spoken, draft.spans) for draft in drafts]
    assert len(segments) > 1
    timeline = timeline_of(segments, [text] * len(segments))
    for place, one in enumerate(segments):
        extent = timeline.extent(place)
        for found in WORD.finditer(one.text):
            start, end = shown_at(one.spans, *found.span())
            assert text[start:end] == found.group()
            assert extent[0] <= start <= end <= extent[1]


def test_the_parts_of_one_text_lie_end_to_end() -> None:
    text = "“One sentence here.” — And (another). " * 30
    drafts = cut_speech(text, language="en", first_seconds=5.0)
    timeline = timeline_of([segment(draft.spoken, draft.spans) for draft in drafts], [text] * len(drafts))
    extents = [timeline.extent(place) for place in range(len(drafts))]
    assert extents[0][0] == 0
    assert extents[-1][1] == len(text)
    assert all(before[1] == after[0] for before, after in pairwise(extents))


def test_the_parts_of_several_texts_are_all_of_them() -> None:
    timeline = timeline_of([segment("a b"), segment("c")], ["a b!", "c?"])
    assert [timeline.extent(place) for place in (0, 1)] == [(0, 4), (0, 2)]

"""Marks from events such as eSpeak NG gives: some words have none, some several."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from espeak_voice.engine_messages import Event
from espeak_voice.word_marks import WordMarks
from lectern_triton.voice_backend.audio_checks import check_marks
from lectern_triton.voice_backend.voice import Mark
from lectern_triton.voice_backend.words import find_words

LOUD = 1_000


def tone(samples: int) -> npt.NDArray[np.int16]:
    return np.full(samples, LOUD, np.int16)


def silence(samples: int) -> npt.NDArray[np.int16]:
    return np.zeros(samples, np.int16)


def word(character: int, sample: int) -> Event:
    return Event(True, character, sample)


def clause_end(character: int, sample: int) -> Event:
    return Event(False, character, sample)


def spans(text: str, marks: list[Mark]) -> list[tuple[str, int, int]]:
    return [(text[start:end], first, last) for first, last, start, end in marks]


def test_a_word_lasts_until_the_next_and_the_last_one_until_the_pause() -> None:
    text = "one two."
    audio = np.concatenate([tone(2_000), silence(3_000)])
    marks = WordMarks(text).add(audio, [word(0, 100), word(4, 1_200), clause_end(8, 5_000)])
    assert spans(text, marks) == [("one", 100, 1_200), ("two", 1_200, 2_000)]


def test_words_that_were_merged_share_their_time_by_their_length() -> None:
    text = "was there today"
    marks = WordMarks(text).add(tone(4_000), [word(0, 0), word(10, 1_600), clause_end(15, 4_000)])
    assert spans(text, marks)[:2] == [("was", 0, 600), ("there", 600, 1_600)]


def test_a_word_with_several_events_begins_with_the_first() -> None:
    text = "for $3.50 now"
    events = [word(0, 0), word(4, 300), word(5, 700), word(6, 900), word(10, 1_500), clause_end(13, 4_000)]
    marks = WordMarks(text).add(tone(4_000), events)
    assert spans(text, marks)[1] == ("$3.50", 300, 1_500)


def test_an_event_on_a_quote_belongs_to_the_word_behind_it() -> None:
    text = "“Quoted” text"
    marks = WordMarks(text).add(tone(4_000), [word(0, 50), word(9, 2_000), clause_end(13, 4_000)])
    assert spans(text, marks)[0] == ("Quoted", 50, 2_000)


def test_marks_come_with_the_clause_and_the_rest_at_the_end() -> None:
    text = "one, two"
    utterance = WordMarks(text)
    assert utterance.add(tone(1_000), [word(0, 0)]) == []
    assert spans(text, utterance.add(silence(1_000), [clause_end(5, 2_000)])) == [("one", 0, 1_000)]
    assert utterance.add(tone(1_000), [word(5, 2_000)]) == []
    assert spans(text, utterance.finish()) == [("two", 2_000, 3_000)]


def test_a_text_without_any_event_still_has_all_its_marks() -> None:
    text = "one two"
    utterance = WordMarks(text)
    utterance.add(tone(700), [])
    assert not utterance.has_word_event
    assert [mark[2:] for mark in utterance.finish()] == [(0, 3), (4, 7)]


@given(
    st.text(alphabet="ab ,.你$1“”—", min_size=1, max_size=40),
    st.lists(st.tuples(st.booleans(), st.integers(0, 45), st.integers(0, 9_000)), max_size=20),
    st.integers(1, 5),
)
def test_whatever_the_events_every_word_has_one_mark_in_order(
    text: str, raw: list[tuple[bool, int, int]], chunks: int
) -> None:
    audio = tone(8_000)
    bounds = [8_000 * number // chunks for number in range(chunks + 1)]
    events = [Event(*event) for event in sorted(raw, key=lambda event: event[2])]
    utterance = WordMarks(text)
    marks: list[Mark] = []
    for first, last in pairwise(bounds):
        due = [event for event in events if first <= event.sample < last or (last == 8_000 and event.sample >= last)]
        marks += utterance.add(audio[first:last], due)
    marks += utterance.finish()
    check_marks(text, 8_000, marks)
    assert [mark[2:] for mark in marks] == [tuple(word) for word in find_words(text)]

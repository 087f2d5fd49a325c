"""How sentences become one stream. A sentence's sound is made here: silence, a tone, silence."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from kokoro_voice.acoustic_client import FRAME, RATE, Sound
from kokoro_voice.audio_stream import FIRST_CHUNK, LEAD, TAIL, AudioStream
from kokoro_voice.g2p_client import Sentence, Word
from kokoro_voice.pauses import FADE
from lectern_contract import PAUSES, Break
from lectern_triton.voice_backend.voice import Chunk, Mark, Samples

FRAMES = np.array([40, 10, 10, 10, 80], np.int64)  # one second of silence, three phonemes, two seconds of silence
HEARD = slice(38 * FRAME, 68 * FRAME)  # the phonemes: the model counts them two frames later than they are heard
WORDS = [Word(0, 2, 0, 5), Word(2, 3, 6, 9)]


def sound(level: int = 8_000) -> Sound:
    samples = np.zeros(int(FRAMES.sum()) * FRAME, np.int16)
    samples[HEARD] = tone(30 * FRAME, level)
    return Sound(samples, FRAMES)


def tone(length: int, level: int = 8_000) -> Samples:
    samples: Samples = (level * np.sin(np.arange(length) * 0.1)).astype(np.int16)
    samples[[0, -1]] = level
    return samples


def sentence(number: int = 0, pause: float | None = None, end: Break | None = "sentence") -> Sentence:
    moved = [
        Word(word.first_phoneme, word.last_phoneme, word.text_start + 10 * number, word.text_end + 10 * number)
        for word in WORDS
    ]
    return Sentence("abc", [1, 2, 3], moved, [], end, pause, None)


def nothing(pause: float | None = None) -> Sentence:
    return Sentence("", [], [], [], "sentence", pause, None)


def spoken(*sentences: Sentence, pauses: Mapping[Break, float] | None = None) -> list[Chunk]:
    stream = AudioStream(pauses or {})
    chunks: list[Chunk] = []
    for one in sentences:
        chunks += stream.add(one, sound() if one.ids else None)
    return [*chunks, stream.end()]


def audio(chunks: Sequence[Chunk]) -> Samples:
    return np.concatenate([chunk.audio for chunk in chunks])


def silences(samples: Samples) -> list[int]:
    """The lengths of runs of at least 10 ms without a sound, also at both ends."""
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 100)
    gaps = np.diff(np.concatenate([[-1], loud, [samples.size]])) - 1
    return [int(gap) for gap in gaps if gap > RATE // 100]


def test_a_segment_begins_and_ends_with_its_sound() -> None:
    assert silences(audio(spoken(sentence()))) == [LEAD, TAIL]


@pytest.mark.parametrize("kind", list(PAUSES))
def test_each_kind_of_break_has_its_pause(kind: Break) -> None:
    for pauses, seconds in (({}, PAUSES[kind]), ({kind: 1.5}, 1.5)):
        assert silences(audio(spoken(sentence(end=kind), sentence(1), pauses=pauses)))[1] == round(seconds * RATE)


def test_words_between_which_a_sentence_is_cut_have_no_pause() -> None:
    assert silences(audio(spoken(sentence(end=None), sentence(1))))[1] == TAIL + LEAD


def test_a_pause_is_never_so_short_that_a_sound_would_be_cut() -> None:
    assert silences(audio(spoken(sentence(), sentence(1), pauses={"sentence": 0.0})))[1] == TAIL + LEAD


@pytest.mark.parametrize(
    ("sentences", "expected"),
    [
        ([sentence(pause=2.0), sentence(1)], [LEAD, 2 * RATE, TAIL]),
        ([nothing(pause=2.0), sentence()], [2 * RATE, TAIL]),
        ([sentence(pause=2.0)], [LEAD, 2 * RATE]),
        ([nothing(pause=2.0)], [2 * RATE]),
        ([sentence(pause=2.0), nothing(pause=1.0), sentence(1)], [LEAD, 3 * RATE, TAIL]),
        ([sentence(), nothing(pause=2.0), sentence(1)], [LEAD, 2 * RATE, TAIL]),
        ([sentence(pause=0.0), sentence(1)], [LEAD, TAIL + LEAD, TAIL]),
    ],
)
def test_a_pause_that_the_text_asks_for_replaces_the_sentences_own(
    sentences: list[Sentence], expected: list[int]
) -> None:
    assert silences(audio(spoken(*sentences))) == expected


def test_a_sentence_without_anything_to_say_adds_no_pause() -> None:
    assert silences(audio(spoken(sentence(), nothing(), sentence(1), nothing()))) == [LEAD, RATE // 2, TAIL]


# Two words of ten frames, and a comma between them of which the silence is counted to the word in front of it.
PAIR_FRAMES = np.array([40, 20, 4, 10, 40], np.int64)


def pair(silence: int, breaks: list[tuple[int, Break]]) -> tuple[Sentence, Sound]:
    """Two words with so many samples of silence between them, in the middle of the comma's frames."""
    samples = np.zeros(int(PAIR_FRAMES.sum()) * FRAME, np.int16)
    samples[38 * FRAME : 72 * FRAME] = tone(34 * FRAME)
    begin = 58 * FRAME - silence // 2
    samples[begin : begin + silence] = 0
    if silence:
        samples[[begin - 1, begin + silence]] = 8_000
    words = [Word(0, 1, 0, 1), Word(2, 3, 3, 4)]
    return Sentence("a,b", [1, 2, 3], words, breaks, None, None, None), Sound(samples, PAIR_FRAMES)


def pair_spoken(
    silence: int, breaks: list[tuple[int, Break]], pauses: Mapping[Break, float] | None = None
) -> tuple[Samples, list[Mark]]:
    chunks = list(AudioStream(pauses or {}).add(*pair(silence, breaks)))
    return audio(chunks), [mark for chunk in chunks for mark in chunk.marks]


def test_a_clause_keeps_the_models_own_pause_unless_one_is_asked_for() -> None:
    assert silences(pair_spoken(4_000, [])[0]) == [LEAD, 4_000, TAIL]


@pytest.mark.parametrize("seconds", [0.1, 0.3])
def test_a_clause_has_the_pause_that_is_asked_for(seconds: float) -> None:
    samples, marks = pair_spoken(4_000, [], {"clause": seconds})
    assert silences(samples) == [LEAD, round(seconds * RATE), TAIL]
    assert marks[1][0] - marks[0][1] == round(seconds * RATE)


def test_a_sentence_that_is_spoken_along_has_its_pause() -> None:
    samples, marks = pair_spoken(4_000, [(2, "sentence")])
    assert silences(samples) == [LEAD, RATE // 2, TAIL]
    assert [mark[2:] for mark in marks] == [(0, 1), (3, 4)]


def test_where_the_model_makes_no_pause_between_sentences_one_is_made() -> None:
    samples, marks = pair_spoken(0, [(2, "paragraph")])
    (_, gap, _) = silences(samples)
    assert gap == pytest.approx(PAUSES["paragraph"] * RATE, abs=2 * FADE)
    assert marks[1][0] - marks[0][1] == round(PAUSES["paragraph"] * RATE)
    assert np.abs(np.diff(samples[LEAD + 10 : -TAIL - 10].astype(int))).max() < 1_000  # as in the tone: no click


def test_a_sound_in_the_silence_is_not_cut() -> None:
    breath = sound()
    breath.samples[20 * FRAME] = 3_000
    (chunk, *_) = AudioStream({}).add(sentence(), breath)
    assert chunk.audio[LEAD] == 3_000


def test_what_is_cut_is_faded() -> None:
    noisy = sound()
    quiet = np.random.default_rng(0).integers(-30, 30, noisy.samples.size).astype(np.int16)
    samples = audio(list(AudioStream({}).add(sentence(), Sound(noisy.samples + quiet, FRAMES))))
    for edge in (samples[:FADE], samples[::-1][:FADE]):
        assert abs(int(edge[0])) <= 1
        assert np.abs(edge.astype(int)).max() <= 30


def test_a_silent_phoneme_in_front_is_not_cut() -> None:
    silent = sound()
    silent.samples[: 50 * FRAME] = 0
    samples = audio(list(AudioStream({}).add(sentence(), silent)))
    assert np.flatnonzero(samples)[0] >= 10 * FRAME


def test_marks_are_in_order_and_inside_what_was_given() -> None:
    given = 0
    marks: list[Mark] = []
    for chunk in spoken(sentence(), sentence(1), sentence(2)):
        given += chunk.audio.size
        marks += chunk.marks
        assert all(last <= given for _, last, _, _ in chunk.marks)
    assert [mark[2:] for mark in marks] == [(0, 5), (6, 9), (10, 15), (16, 19), (20, 25), (26, 29)]
    ends = [position for mark in marks for position in mark[:2]]
    assert ends == sorted(ends)


def test_marks_lie_where_the_phonemes_are() -> None:
    length = 30 * FRAME + RATE // 2
    assert [mark for chunk in spoken(sentence(), sentence(1)) for mark in chunk.marks] == [
        (LEAD + begin + first * FRAME, LEAD + begin + last * FRAME, text_start, text_start + size)
        for begin, text in ((0, 0), (length, 10))
        for first, last, text_start, size in ((0, 20, text, 5), (20, 30, text + 6, 3))
    ]


def test_the_first_chunk_is_small() -> None:
    sizes = [chunk.audio.size for chunk in spoken(sentence(), sentence(1))]
    assert sizes[0] == FIRST_CHUNK
    assert sizes[1] > FIRST_CHUNK

"""How sentences become one stream. A sentence's sound is made here: silence, a tone, silence."""

import numpy as np
import pytest

from kokoro_voice.acoustic_client import FRAME, RATE, Sound
from kokoro_voice.audio_stream import FADE, FIRST_CHUNK, LEAD, PAUSE, AudioStream, trim
from kokoro_voice.g2p_client import Sentence, Word
from lectern_triton.voice_backend.voice import Chunk, Mark

FRAMES = np.array([40, 10, 10, 10, 80], np.int64)  # one second of silence, three phonemes, two seconds of silence
HEARD = slice(38 * FRAME, 68 * FRAME)  # the phonemes: the model counts them two frames later than they are heard
WORDS = [Word(0, 2, 0, 5), Word(2, 3, 6, 9)]


def sound(level: int = 8_000) -> Sound:
    samples = np.zeros(int(FRAMES.sum()) * FRAME, np.int16)
    samples[HEARD] = (level * np.sin(np.arange(30 * FRAME) * 0.1)).astype(np.int16)
    samples[HEARD.start] = samples[HEARD.stop - 1] = level
    return Sound(samples, FRAMES)


def sentence(offset: int = 0, pause: float = 0.0) -> Sentence:
    moved = [
        Word(word.first_phoneme, word.last_phoneme, word.text_start + offset, word.text_end + offset) for word in WORDS
    ]
    return Sentence("abc", [1, 2, 3], moved, pause, None)


def spoken(stream: AudioStream, sentences: int = 2, pause: float = 0.0) -> list[Chunk]:
    chunks: list[Chunk] = []
    for number in range(sentences):
        chunks += stream.add(sentence(10 * number, pause), sound())
    return [*chunks, stream.end()]


def audio(chunks: list[Chunk]) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.concatenate([chunk.audio for chunk in chunks])


def silences(samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> list[int]:
    """The lengths of runs of at least 10 ms without a sound."""
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 100)
    gaps = np.diff(loud)
    return [int(gap) for gap in gaps[gaps > RATE // 100]]


def test_most_of_the_silence_around_a_sentence_is_cut() -> None:
    trimmed, cut = trim(sound())
    assert cut == HEARD.start - LEAD
    assert trimmed.size == LEAD + 30 * FRAME + PAUSE


def test_where_sentences_meet_there_is_one_pause() -> None:
    (gap,) = silences(audio(spoken(AudioStream())))
    assert gap == pytest.approx(PAUSE + LEAD, abs=3)


def test_a_pause_that_is_asked_for_comes_on_top() -> None:
    (gap,) = silences(audio(spoken(AudioStream(), pause=1.5))[:-RATE])
    assert gap == pytest.approx(PAUSE + LEAD + 1.5 * RATE, abs=3)


def test_a_sound_in_the_silence_is_not_cut() -> None:
    breath = sound()
    breath.samples[20 * FRAME] = 3_000
    assert trim(breath)[1] == 20 * FRAME - LEAD


def test_what_is_cut_is_faded() -> None:
    noisy = sound()
    quiet = np.random.default_rng(0).integers(-30, 30, noisy.samples.size).astype(np.int16)
    trimmed, _ = trim(Sound(noisy.samples + quiet, FRAMES))
    for edge in (trimmed[:FADE], trimmed[::-1][:FADE]):
        assert abs(int(edge[0])) <= 1
        assert np.abs(edge.astype(int)).max() <= 30


def test_phonemes_are_never_cut_even_if_they_are_silent() -> None:
    silent = sound()
    silent.samples[: 50 * FRAME] = 0
    _, cut = trim(silent)
    assert cut <= 40 * FRAME


def test_marks_are_in_order_and_inside_what_was_given() -> None:
    given = 0
    marks: list[Mark] = []
    for chunk in spoken(AudioStream(), 3):
        given += chunk.audio.size
        marks += chunk.marks
        assert all(last <= given for _, last, _, _ in chunk.marks)
    assert [mark[2:] for mark in marks] == [(0, 5), (6, 9), (10, 15), (16, 19), (20, 25), (26, 29)]
    ends = [position for mark in marks for position in mark[:2]]
    assert ends == sorted(ends)


def test_marks_lie_where_the_phonemes_are() -> None:
    chunks = spoken(AudioStream(), 1)
    assert [mark for chunk in chunks for mark in chunk.marks] == [
        (LEAD, LEAD + 20 * FRAME, 0, 5),
        (LEAD + 20 * FRAME, LEAD + 30 * FRAME, 6, 9),
    ]


def test_the_first_chunk_is_small() -> None:
    sizes = [chunk.audio.size for chunk in spoken(AudioStream())]
    assert sizes[0] == FIRST_CHUNK
    assert sizes[1] > FIRST_CHUNK

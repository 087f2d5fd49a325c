import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectern.time_stretch import Stretcher, stretched_length

RATE = 24_000


def stretched(samples: np.ndarray, tempo: float, step: int) -> np.ndarray:
    stretcher = Stretcher(tempo, RATE)
    made = [stretcher.feed(samples[at : at + step]) for at in range(0, len(samples), step)]
    return np.concatenate([*made, stretcher.flush()])


def voice(seconds: float, hertz: float) -> np.ndarray:
    """Returns a steady vowel: a fundamental and its harmonics, each weaker than the one below."""
    turns = hertz * np.arange(int(seconds * RATE)) / RATE
    partials = [np.sin(2 * np.pi * n * turns + n * n) / n for n in range(1, int(4_000 / hertz))]
    sound: np.ndarray = 5_000 * np.sum(partials, axis=0)
    return sound.astype(np.int16)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE), np.int16)


def hiss(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2_000, int(seconds * RATE)).astype(np.int16)


def speech() -> np.ndarray:
    """Returns vowels, consonants and pauses of many lengths."""
    parts = [silence(0.04)]
    for number, hertz in enumerate([110, 150, 220, 260, 330]):
        parts += [hiss(0.05, number), voice(0.1 + 0.06 * number, hertz), silence(0.05 + 0.1 * number)]
    return np.concatenate([*parts, voice(0.3, 180), silence(0.4)])


def loudness(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


def fundamental(samples: np.ndarray) -> float:
    """Returns the frequency, in Hz, of the strongest partial, between the bins of the transform."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    return float(np.argmax(spectrum)) * RATE / (8 * len(samples))


@pytest.mark.parametrize("hertz", [90, 180, 260, 330])
@pytest.mark.parametrize("tempo", [0.4, 0.75, 1.1, 1.5, 2.0, 2.5, 3.5])
def test_pitch_and_loudness_stay(tempo: float, hertz: float) -> None:
    sound = voice(3.0, hertz)
    made = stretched(sound, tempo, 1_324)
    middle = made[RATE // 8 : -RATE // 8]
    assert fundamental(middle) == pytest.approx(fundamental(sound), rel=0.01)
    assert loudness(middle) == pytest.approx(loudness(sound), rel=0.02)


@pytest.mark.parametrize("tempo", [0.5, 1.5, 3.0])
def test_a_hiss_stays_as_loud_as_it_was(tempo: float) -> None:
    assert loudness(stretched(hiss(2.0), tempo, 2_400)) == pytest.approx(loudness(hiss(2.0)), rel=0.1)


@pytest.mark.parametrize("tempo", [0.5, 0.75, 1.25, 2.0, 3.0])
def test_a_voice_that_glides_is_joined_without_clicks(tempo: float) -> None:
    turns = np.cumsum(np.linspace(120, 300, 2 * RATE)) / RATE
    glide = (8_000 * np.sin(2 * np.pi * turns)).astype(np.int16)
    steps = np.abs(np.diff(stretched(glide, tempo, 2_400).astype(int)))
    assert steps.max() < 1.15 * np.abs(np.diff(glide.astype(int))).max()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 5_000), st.floats(0.25, 4.0), st.integers(20, 3_000))
def test_the_length_is_exact_for_any_input_in_any_steps(count: int, tempo: float, step: int) -> None:
    samples = np.random.default_rng(count).integers(-9_000, 9_000, count).astype(np.int16)
    assert len(stretched(samples, tempo, step)) == stretched_length(count, tempo)


@settings(deadline=None, max_examples=30)
@given(st.floats(0.25, 4.0), st.lists(st.integers(0, 3 * RATE), max_size=8), st.integers(0, 3 * RATE))
def test_cuts_between_chunks_do_not_matter(tempo: float, cuts: list[int], end: int) -> None:
    samples = speech()[:end]
    stretcher = Stretcher(tempo, RATE)
    made = [stretcher.feed(chunk) for chunk in np.split(samples, sorted(cuts))]
    assert np.array_equal(np.concatenate([*made, stretcher.flush()]), stretched(samples, tempo, RATE * 3))


def test_a_tempo_of_one_changes_no_sample() -> None:
    assert np.array_equal(stretched(speech(), 1.0, 1_000), speech())


@pytest.mark.parametrize("tempo", [0.25, 0.5, 1.1, 1.5, 2.0, 3.0, 4.0])
def test_the_first_output_comes_after_a_sixth_of_a_second_at_most(tempo: float) -> None:
    stretcher = Stretcher(tempo, RATE)
    sound = voice(1.0, 150)
    needed = next(at for at in range(0, RATE, 240) if stretcher.feed(sound[at : at + 240]).size)
    assert needed + 240 <= RATE / 6


def test_only_positions_are_kept_of_what_was_given_out() -> None:
    stretcher = Stretcher(2.0, RATE)
    for _ in range(20):  # 66 seconds, which are 3.2 MB
        stretcher.feed(speech())
    assert len(pickle.dumps(stretcher)) < 600_000


@pytest.mark.parametrize("tempo", [0.5, 1.5, 3.0])
def test_positions_rise_from_the_start_to_the_end_and_settled_ones_stay(tempo: float) -> None:
    samples = speech()
    stretcher = Stretcher(tempo, RATE)
    settled: dict[int, int] = {}
    for at in range(0, len(samples), 1_000):
        stretcher.feed(samples[at : at + 1_000])
        known = range(0, min(stretcher.settled, len(samples)), 500)
        settled |= {sample: stretcher.position(sample) for sample in known if sample not in settled}
    stretcher.flush()
    assert stretcher.settled >= len(samples)
    positions = [stretcher.position(sample) for sample in range(0, len(samples) + 1, 100)]
    assert positions == sorted(positions)
    assert positions[0] == 0
    assert stretcher.position(len(samples)) == stretched_length(len(samples), tempo)
    assert settled == {sample: stretcher.position(sample) for sample in settled}


@pytest.mark.parametrize("tempo", [0.5, 1.5, 2.0, 3.0])
def test_a_sound_is_heard_where_its_position_says(tempo: float) -> None:
    parts = [voice(0.7, 180), silence(0.4), voice(0.5, 240), silence(0.6), voice(0.9, 140), silence(0.3)]
    stretcher = Stretcher(tempo, RATE)
    made = np.concatenate([stretcher.feed(np.concatenate(parts)), stretcher.flush()])
    loud = np.concatenate([[0], np.convolve(np.abs(made.astype(float)), np.ones(200) / 200, "same") > 500])
    heard = np.flatnonzero(np.diff(loud) > 0)
    onsets = np.cumsum([0, *(part.size for part in parts)])[0:-1:2]
    expected = [stretcher.position(int(onset)) for onset in onsets]
    assert heard == pytest.approx(expected, abs=0.012 * RATE)


@pytest.mark.parametrize("tempo", [1.5, 2.0, 3.0])
def test_pauses_give_more_of_their_time_than_words(tempo: float) -> None:
    stretcher = Stretcher(tempo, RATE)
    stretcher.feed(np.concatenate([voice(2.0, 180), silence(0.6), voice(2.0, 180), silence(0.5)]))
    stretcher.flush()
    start, end = stretcher.position(2 * RATE), stretcher.position(int(2.6 * RATE))
    assert end - start < 0.8 * 0.6 * RATE / tempo
    assert end - start > 0.06 * RATE / tempo
    assert stretcher.position(int(4.6 * RATE)) - end > 2.05 * RATE / tempo


@pytest.mark.parametrize("tempo", [1.25, 2.0, 3.0])
def test_words_that_end_without_a_pause_are_not_hurried_much(tempo: float) -> None:
    stretcher = Stretcher(tempo, RATE)
    stretcher.feed(np.concatenate([voice(1.0, 180), silence(0.5), voice(3.0, 180)]))
    stretcher.flush()
    times = np.array([stretcher.position(at) for at in range(int(1.6 * RATE), int(4.5 * RATE), RATE // 10)])
    assert np.diff(times).min() > 0.1 * RATE / tempo / 1.45


@pytest.mark.parametrize("tempo", [0.5, 2.0])
def test_silence_alone_stays_silence(tempo: float) -> None:
    made = stretched(silence(1.0), tempo, 1_000)
    assert len(made) == stretched_length(RATE, tempo)
    assert not made.any()

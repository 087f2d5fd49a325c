from typing import Any

import numpy as np
import pytest

from lectern_triton.higgs_engine.messages import RATE
from lectern_triton.vllm_omni_backend.prompt_audio import PromptAudio
from lectern_triton.vllm_omni_backend.resampling import resampled
from lectern_triton.voice_backend.voice import BadRequest, Reference

RATES = [8_000, 11_025, 12_000, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000]


def tone(hertz: float, rate: int, seconds: float = 1.0) -> Any:
    return np.rint(8_000 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.int16)


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_is_the_same_at_another_rate(rate: int) -> None:
    made = resampled(tone(1_000, rate), rate, RATE)
    assert made.size == RATE
    middle = slice(RATE // 10, -RATE // 10)
    assert np.abs(made - tone(1_000, RATE).astype(int))[middle].max() <= 2


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_what_is_too_high_for_the_new_rate_is_gone(rate: int) -> None:
    made = resampled(tone(13_500, rate), rate, RATE)
    assert np.abs(made.astype(int))[RATE // 10 : -RATE // 10].max() <= 2


def test_an_odd_rate_costs_no_more_than_others_and_is_right_to_millionths() -> None:
    made = resampled(tone(1_000, 44_101, 4), 44_101, RATE)
    assert made.size == pytest.approx(4 * RATE, abs=2)
    spectrum = np.abs(np.fft.rfft(made * np.hanning(made.size)))
    assert np.argmax(spectrum) * RATE / made.size == pytest.approx(1_000, abs=0.3)


def test_one_sample_is_enough() -> None:
    assert resampled(np.array([100], np.int16), 48_000, RATE).size == 1


def test_a_loud_step_does_not_wrap_around() -> None:
    square = np.where(np.arange(48_000) // 100 % 2, 32_767, -32_768).astype(np.int16)
    made = resampled(square, 48_000, RATE).astype(int)
    assert np.abs(np.diff(made)).max() < 65_536
    assert (made.max(), made.min()) == (32_767, -32_768)


def test_a_recording_has_the_engines_rate_and_its_words() -> None:
    recording = PromptAudio(60).convert(
        Reference(tone(200, 48_000), 48_000, " some words "), "reference", needs_text=True
    )
    assert len(recording.samples) == 2 * RATE
    assert recording.text == "some words"


def test_the_same_prompt_at_another_rate_is_another_recording() -> None:
    audio, samples = PromptAudio(60), tone(200, 48_000)
    one, two, again = (
        audio.convert(Reference(samples, rate, "words"), "reference", needs_text=True)
        for rate in (48_000, 32_000, 48_000)
    )
    assert len(two.samples) == pytest.approx(1.5 * len(one.samples), abs=2)
    assert again.samples is one.samples, "it is cached"


@pytest.mark.parametrize(
    ("speech", "reason"),
    [
        (Reference(tone(200, RATE, 0.49), RATE, "a"), r"previous_audio is 0\.49 s long"),
        (Reference(tone(200, RATE, 2.1), RATE, "a"), r"must last between 0\.5 and 2 s"),
        (Reference(tone(200, RATE) // 100, RATE, "a"), "previous_audio is silent"),
        (Reference(tone(200, RATE), RATE, None), "previous_text is missing"),
        (Reference(tone(200, RATE), RATE, " \n"), "previous_text is missing"),
    ],
)
def test_what_no_engine_could_use_is_refused(speech: Reference, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        PromptAudio(2).convert(speech, "previous", needs_text=True)

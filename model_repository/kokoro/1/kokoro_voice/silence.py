"""Tells sound from silence, and cuts that around a sentence, so that pauses are not doubled where sentences meet."""

from typing import Final

import numpy as np
import numpy.typing as npt

from kokoro_voice.acoustic import FRAME, RATE, Sound
from lectern_triton.voice_backend.protocol import Samples

LEAD: Final = int(0.04 * RATE)  # samples left in front of the first sound
PAUSE: Final = int(0.45 * RATE)  # samples left behind the last one, at speed 1: the pause between two sentences
FADE: Final = int(0.004 * RATE)  # samples, where something was cut
QUIET: Final = 10 ** (-45 / 20)  # of the loudest sample; breath and room lie below it
FAINTEST: Final = 16  # what is below this is silence however faint the rest is

_RISE: Final = (np.arange(1, FADE + 1, dtype=np.float32) / (FADE + 1)).astype(np.float32)


def heard_in(samples: Samples) -> npt.NDArray[np.int64]:
    """Return the positions of the samples that are no silence."""
    level = np.abs(samples.astype(np.int32))
    return np.flatnonzero(level > max(FAINTEST, int(level.max() * QUIET)))


def trim(sound: Sound, speed: float) -> tuple[Samples, int]:
    """Return a sentence without most of the silence around it, and how many samples were cut in front of it.

    Only what the model made for the sign in front of the first phoneme and for those behind the last may be cut.
    """
    samples = sound.samples
    heard = heard_in(samples)
    first_phoneme = int(sound.frames[0]) * FRAME
    last_sign = samples.size - int(sound.frames[-1]) * FRAME
    start = max(0, min(int(heard[0]), first_phoneme) - LEAD)
    end = min(samples.size, max(int(heard[-1]) + 1 + int(PAUSE / speed), min(last_sign, start + FADE)))
    return _faded(samples[start:end], start > 0, end < samples.size), start


def _faded(samples: Samples, at_start: bool, at_end: bool) -> Samples:  # noqa: FBT001
    faded = samples.copy()
    width = min(FADE, faded.size)
    if at_start:
        faded[:width] = (faded[:width] * _RISE[:width]).astype(np.int16)
    if at_end:
        faded[faded.size - width :] = (faded[faded.size - width :] * _RISE[:width][::-1]).astype(np.int16)
    return faded

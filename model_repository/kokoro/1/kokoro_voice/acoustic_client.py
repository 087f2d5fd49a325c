"""Calls the model kokoro_acoustic, which turns the phonemes of one sentence into samples."""

import hashlib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from kokoro_voice.audio_checks import check_duration
from kokoro_voice.style_tables import Style
from lectern_triton.voice_backend.voice import Models, Samples

MODEL: Final = "kokoro_acoustic"
RATE: Final = 24_000  # Hz
FRAME: Final = 600  # samples
NOISE_ENTRIES: Final = 65_536
# Triton batches only requests of one shape, so there are few shapes. Padding the phonemes costs little: the model's
# time depends on the frames that it makes.
WIDTHS: Final = (32, 64, 96, 128, 192, 256, 384, 512)
SPEED: Final = 1.0
"""The only speed that the model is asked for.

It takes others, but its durations are whole frames, and most phonemes have two or three of them: at 1.5 more than half
of the words cannot be understood, while stretched speech can.
"""


@dataclass(frozen=True, slots=True)
class Sound:
    samples: Samples
    frames: npt.NDArray[np.int64]
    """How many frames each phoneme lasts, including the silence in front of the first and behind the last one."""


def synthesize(models: Models, ids: Sequence[int], style: Style) -> Sound:
    """Returns the samples of one sentence.

    Raises what `Models.call` does, RuntimeError for an invalid answer or too many ids, and Implausible for a duration
    that does not fit the number of phonemes.
    """
    length = len(ids) + 2
    if length > WIDTHS[-1]:
        raise RuntimeError(f"{MODEL} takes at most {WIDTHS[-1] - 2} phonemes at a time, and not {len(ids)}")
    tokens = np.zeros((1, WIDTHS[bisect_left(WIDTHS, length)]), np.int64)
    tokens[0, 1 : length - 1] = ids
    answer = models.call(
        MODEL,
        {
            "input_ids": tokens,
            "input_lengths": np.array([[length]], np.int64),
            "style": style[np.newaxis],
            "speed": np.array([[SPEED]], np.float32),
            "noise_offset": np.array([[_noise_offset(tokens, style)]], np.int64),
        },
        ["waveform", "sample_lengths", "durations"],
    )
    count = int(answer["sample_lengths"].reshape(-1)[0])
    frames = answer["durations"].reshape(-1)[:length]
    samples = answer["waveform"].reshape(-1)[:count]
    if count == 0:  # the graph's answer for an invalid item, which must not hurt the others in its batch
        raise RuntimeError(f"{MODEL} refused a sentence: its ids or style are beyond the model's limits")
    if samples.size != count or count != int(frames.sum()) * FRAME or frames.min() < 1:
        raise RuntimeError(f"{MODEL} made {samples.size} samples, said {count}, and timed {int(frames.sum()) * FRAME}")
    if not samples.any():
        raise RuntimeError(f"{MODEL} made nothing but silence of {len(ids)} phonemes")
    check_duration(frames)
    return Sound(samples, frames)


def _noise_offset(tokens: npt.NDArray[np.int64], style: Style) -> int:
    """Returns the offset into the model's table of noise, which is the same for the same sentence and voice."""
    digest = hashlib.blake2b(tokens.tobytes() + style.tobytes(), digest_size=4).digest()
    return int.from_bytes(digest, "little") % NOISE_ENTRIES

"""Asks kokoro_acoustic for the sound of one sentence."""

import hashlib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from kokoro_voice.styles import Style
from lectern_triton.voice_backend.protocol import Models, Samples

MODEL: Final = "kokoro_acoustic"
RATE: Final = 24_000  # Hz
FRAME: Final = 600  # samples
NOISE_ENTRIES: Final = 65_536
# Triton merges only requests of one shape, so that there are few shapes. Padding on the text's side costs little: the
# model's time goes by the frames it makes.
WIDTHS: Final = (32, 64, 96, 128, 192, 256, 384, 512)


@dataclass(frozen=True, slots=True)
class Sound:
    samples: Samples
    frames: npt.NDArray[np.int64]
    """How long each phoneme lasts, the one before the first and the one behind the last included."""


def sound_of(models: Models, ids: Sequence[int], style: Style, speed: float) -> Sound:
    """Raises what `Models.call` does, and RuntimeError for an answer that cannot be, or for too many ids."""
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
            "speed": np.array([[speed]], np.float32),
            "noise_offset": np.array([[_noise_offset(tokens, style)]], np.int64),
        },
        ["waveform", "sample_lengths", "durations"],
    )
    count = int(answer["sample_lengths"].reshape(-1)[0])
    frames = answer["durations"].reshape(-1)[:length]
    samples = answer["waveform"].reshape(-1)[:count]
    if count == 0:  # what the graph makes of an item that must not hurt those beside it in a batch
        raise RuntimeError(f"{MODEL} refused a sentence: its ids, style or speed {speed} are beyond the model's limits")
    if samples.size != count or count != int(frames.sum()) * FRAME or frames.min() < 1:
        raise RuntimeError(f"{MODEL} made {samples.size} samples, said {count}, and timed {int(frames.sum()) * FRAME}")
    if not samples.any():
        raise RuntimeError(f"{MODEL} made nothing but silence of {len(ids)} phonemes")
    return Sound(samples, frames)


def _noise_offset(tokens: npt.NDArray[np.int64], style: Style) -> int:
    """Return where in the model's table of noise a sentence begins: the same for the same sentence and voice."""
    digest = hashlib.blake2b(tokens.tobytes() + style.tobytes(), digest_size=4).digest()
    return int.from_bytes(digest, "little") % NOISE_ENTRIES

"""Sounds to encode, and the ways to encode them."""

from collections.abc import Sequence
from typing import Final, Literal, get_args

import numpy as np

from orchestrator.audio.encoding import Encoder, encode_whole
from orchestrator.audio.formats import AudioFormat
from orchestrator.audio.pcm import Samples

Way = Literal["whole", "streamed", "announced"]
WAYS: Final[tuple[Way, ...]] = get_args(Way)


def voice(samples: int, sample_rate: int, seed: int = 0) -> Samples:
    """A buzz with moving pitch and loudness and some breath, which repeats nowhere."""
    time = np.arange(samples) / sample_rate
    phase = 2 * np.pi * (120 * time + 3 * np.sin(2 * time))
    buzz = sum((np.sin(harmonic * phase) / harmonic for harmonic in range(1, 20)), np.zeros(samples))
    breath = np.random.default_rng(seed).standard_normal(samples)
    return (4000 * buzz * (0.6 + 0.4 * np.sin(19 * time)) + 300 * breath).astype(np.int16)


def streamed(
    chunks: Sequence[Samples], audio_format: AudioFormat, sample_rate: int, total_samples: int | None = None
) -> list[bytes]:
    """Returns what each chunk, and then the end, made ready."""
    encoder = Encoder(audio_format, sample_rate, total_samples=total_samples)
    return [*(encoder.feed(chunk) for chunk in chunks), encoder.finish()]


def cut(samples: Samples, size: int) -> list[Samples]:
    return [samples[start : start + size] for start in range(0, len(samples), size)]


def encoded(samples: Samples, audio_format: AudioFormat, sample_rate: int, way: Way) -> bytes:
    if way == "whole":
        return encode_whole(samples, audio_format, sample_rate)
    total = len(samples) if way == "announced" else None
    return b"".join(streamed(cut(samples, 1_001), audio_format, sample_rate, total))

"""Samples without a container, and WAV, which is 44 bytes more."""

import struct
from typing import Final

from orchestrator.audio.pcm import SAMPLE_BYTES, Samples, samples_to_bytes

UNKNOWN: Final = 0xFFFF_FFFF  # the size that players take to mean "until the end"
AFTER_RIFF_SIZE: Final = 36  # bytes of the header that the RIFF size counts


class PcmWriter:
    """Raw int16 little-endian mono."""

    def feed(self, samples: Samples) -> bytes:
        return samples_to_bytes(samples)

    def finish(self) -> bytes:
        return b""


class WavWriter:
    """int16 mono WAV, with true sizes if the number of samples is known from the start."""

    def __init__(self, sample_rate: int, total_samples: int | None) -> None:
        self._header = wav_header(sample_rate, total_samples)

    def feed(self, samples: Samples) -> bytes:
        return self._take_header() + samples_to_bytes(samples)

    def finish(self) -> bytes:
        return self._take_header()

    def _take_header(self) -> bytes:
        header, self._header = self._header, b""
        return header


def wav_header(sample_rate: int, total_samples: int | None) -> bytes:
    """Returns the 44 bytes before the samples. Sizes that are unknown, or past WAV's 4 GiB, are declared as unknown."""
    data_size = UNKNOWN if total_samples is None else total_samples * SAMPLE_BYTES
    if data_size > UNKNOWN - AFTER_RIFF_SIZE:
        data_size = riff_size = UNKNOWN
    else:
        riff_size = data_size + AFTER_RIFF_SIZE
    integer_pcm, mono, bits = 1, 1, 8 * SAMPLE_BYTES
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        riff_size,
        b"WAVE",
        b"fmt ",
        16,  # bytes of the format chunk
        integer_pcm,
        mono,
        sample_rate,
        sample_rate * SAMPLE_BYTES,
        SAMPLE_BYTES,
        bits,
        b"data",
        data_size,
    )

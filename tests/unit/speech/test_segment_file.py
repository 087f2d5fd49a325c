"""The file of a cached segment holds samples and marks, and nothing else is ever read out of it."""

import hashlib
import io

import av
import numpy as np
import pytest

from lectern.triton import Mark
from orchestrator.audio.decoding import UnreadableAudioError, decode
from orchestrator.audio.flac_writer import whole_flac
from orchestrator.speech.cache.segment_file import LENGTH_BYTES, CachedAudio, Length, pack, read_length, unpack
from tests.unit.audio.sounds import voice

RATE = 22_050
MARKS = [Mark(0, 900, 0, 3), Mark(1_000, 2_000, 4, 9)]


def audio(samples: int = 30_000, marks: list[Mark] | None = None) -> CachedAudio:
    return CachedAudio(voice(samples, RATE), RATE, MARKS if marks is None else marks)


@pytest.mark.parametrize("samples", [1, 4_607, 4_608, 30_000])
@pytest.mark.parametrize("marks", [[], MARKS, MARKS * 2_000], ids=len)
def test_what_is_packed_is_unpacked(samples: int, marks: list[Mark]) -> None:
    packed = audio(samples, marks)
    data = pack(packed)
    again = unpack(data)
    assert np.array_equal(again.samples, packed.samples)
    assert (again.sample_rate, again.marks) == (RATE, marks)
    assert read_length(data[:LENGTH_BYTES]) == Length(samples, RATE)
    assert pack(again) == data


def test_it_is_a_flac_with_its_length_and_its_md5() -> None:
    packed = audio()
    data = pack(packed)
    assert np.array_equal(decode(data)[0], packed.samples)
    with av.open(io.BytesIO(data)) as file:
        assert file.streams.audio[0].duration == len(packed.samples)
    assert hashlib.md5(packed.samples.tobytes(), usedforsecurity=False).digest() in data[:LENGTH_BYTES]


def test_a_bit_that_fell_over_anywhere_gives_the_same_audio_or_none() -> None:
    """Where a FLAC has spare bits, a change goes unnoticed and does no harm."""
    packed = audio(3_000)
    data = pack(packed)
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        try:
            read = unpack(bytes(changed))
        except UnreadableAudioError:
            continue
        assert np.array_equal(read.samples, packed.samples), place
        assert (read.sample_rate, read.marks) == (RATE, MARKS), place


def test_no_part_of_it_is_read() -> None:
    data = pack(audio(3_000))
    for size in range(len(data)):
        with pytest.raises(UnreadableAudioError):
            unpack(data[:size])
    for size in range(LENGTH_BYTES):
        with pytest.raises(UnreadableAudioError):
            read_length(data[:size])


@pytest.mark.parametrize("junk", [b"", b"fLaC", b"\x55" * 5_000, b"fLaC" + bytes(5_000)])
def test_nothing_else_is_read(junk: bytes) -> None:
    with pytest.raises(UnreadableAudioError):
        unpack(junk)
    with pytest.raises(UnreadableAudioError):
        read_length(junk[:LENGTH_BYTES])


def test_a_flac_of_somebody_else_is_not_read() -> None:
    with pytest.raises(UnreadableAudioError):
        unpack(whole_flac(voice(3_000, RATE), RATE))

"""The file is as long as its header says, also if a segment had to be made anew and came out otherwise."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Sequence

import av
import numpy as np
import pytest

from lectern.triton import Chunk
from orchestrator.audio.decoding import decode
from orchestrator.audio.formats import AudioFormat, Sound
from orchestrator.audio.pcm import Samples
from orchestrator.lib.errors.problems import ModelFailed
from orchestrator.speech.cache.segment_file import Length
from orchestrator.speech.response.cached_lengths import fitted
from orchestrator.speech.synthesis.segment_stream import SegmentChunks
from tests.unit.audio.sounds import voice
from tests.unit.speech.responses import response

RATE = 24_000
DECLARED = [20_000, 30_000, 10_000]
FORMATS: list[AudioFormat] = ["wav", "flac", "mp3"]


def declared_samples(data: bytes, audio_format: AudioFormat) -> int:
    """What a player knows before it has read the whole file."""
    if audio_format == "wav":
        with wave.open(io.BytesIO(data)) as file:
            return int(file.getnframes())
    with av.open(io.BytesIO(data[: len(data) // 2])) as file:
        stream = file.streams.audio[0]
        assert stream.duration is not None
        assert stream.time_base is not None
        samples: int = round(stream.duration * stream.time_base * RATE)
        return samples


def parts(*lengths: int) -> list[Samples]:
    return [voice(length, RATE) for length in lengths]


def silence(samples: int) -> Samples:
    return np.zeros(samples, np.int16)


@pytest.mark.parametrize("audio_format", FORMATS)
def test_the_header_declares_the_length_of_all_segments(audio_format: AudioFormat) -> None:
    data = response(parts(*DECLARED), Sound(audio_format), RATE, declared=DECLARED)
    # FFmpeg counts the frames of an MP3, of which the first few are its lead-in and the last is not full.
    assert declared_samples(data, audio_format) == pytest.approx(
        sum(DECLARED), abs=1_152 if audio_format == "mp3" else 0
    )
    assert len(decode(data)[0]) == sum(DECLARED)


@pytest.mark.parametrize("audio_format", FORMATS)
@pytest.mark.parametrize("made", [[19_000, 30_000, 10_000], [20_000, 100, 9_999]])
def test_silence_follows_a_segment_that_came_out_shorter(audio_format: AudioFormat, made: list[int]) -> None:
    heard, _ = decode(response(parts(*made), Sound(audio_format), RATE, declared=DECLARED))
    assert len(heard) == sum(DECLARED)
    if audio_format != "mp3":
        pieces = np.split(heard, np.cumsum(DECLARED)[:-1])
        for piece, samples, length in zip(pieces, parts(*made), made, strict=True):
            assert np.array_equal(piece, np.concatenate([samples, silence(len(piece) - length)]))


@pytest.mark.parametrize("audio_format", FORMATS)
def test_silence_at_the_end_of_a_segment_that_came_out_longer_is_cut(audio_format: AudioFormat) -> None:
    first, second, third = parts(*DECLARED)
    longer = np.concatenate([second, silence(5_000)])
    heard = response([first, longer, third], Sound(audio_format), RATE, declared=DECLARED)
    assert heard == response([first, second, third], Sound(audio_format), RATE, declared=DECLARED)


@pytest.mark.parametrize("audio_format", FORMATS)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_speech_is_never_cut_the_response_breaks(audio_format: AudioFormat, place: int) -> None:
    made = list(DECLARED)
    made[place] += 2_000
    with pytest.raises(ModelFailed):
        response(parts(*made), Sound(audio_format), RATE, declared=DECLARED)


@pytest.mark.parametrize("left_out", [[0], [1], [2], [0, 1], [1, 2], []])
def test_a_segment_that_is_left_out_is_silent(left_out: Sequence[int]) -> None:
    segments = parts(*DECLARED)

    async def chunks() -> SegmentChunks:
        for index, samples in enumerate(segments):
            if index not in left_out:
                for part in np.array_split(samples, 3):
                    yield index, Chunk(part, RATE, [])

    async def heard() -> Samples:
        stream: AsyncIterator[tuple[int, Chunk]] = fitted(chunks(), [Length(samples, RATE) for samples in DECLARED])
        return np.concatenate([chunk.audio async for _, chunk in stream])

    expected = [silence(len(one)) if index in left_out else one for index, one in enumerate(segments)]
    assert np.array_equal(asyncio.run(heard()), np.concatenate(expected))

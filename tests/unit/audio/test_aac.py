"""AAC in ADTS: OpenAI's `aac`. It declares no length, so what a decoder gives is whole frames behind a known delay."""

import io

import av
import numpy as np
import pytest

from orchestrator.audio.aac_writer import DELAY, HEADER_BYTES
from orchestrator.audio.decoding import decode
from orchestrator.audio.formats import AAC_RATES, encoded_rate
from tests.unit.audio.sounds import WAYS, Way, encoded, voice

FRAME = 1_024
LENGTHS = (0, 1, 2, 1_023, 1_024, 1_025, 2_048, 9_600, 22_050, 70_001)


def frames(data: bytes) -> list[bytes]:
    """The ADTS frames by the lengths in their headers (ISO 13818-7, 6.2), which must fill the file."""
    found = []
    at = 0
    while at < len(data):
        header = int.from_bytes(data[at : at + HEADER_BYTES], "big")
        assert header >> 44 == 0xFFF, "no sync word"
        length = (header >> 13) & 0x1FFF
        found.append(data[at : at + length])
        at += length
    assert at == len(data)
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("rate", [22_050, 24_000])
def test_it_decodes_to_its_delay_and_full_frames(rate: int, length: int, way: Way) -> None:
    decoded, decoded_rate = decode(encoded(voice(length, rate), "aac", rate, way))
    assert decoded_rate == rate
    assert len(decoded) == DELAY + max(1, -(-length // FRAME)) * FRAME


@pytest.mark.parametrize("way", WAYS)
def test_it_is_late_by_its_delay_and_not_by_a_sample_more(way: Way) -> None:
    samples = voice(24_000, 24_000)
    decoded, _ = decode(encoded(samples, "aac", 24_000, way))
    middle = samples[2_000:-2_000].astype(float)
    likeness = [float(middle @ decoded[start : start + len(middle)]) for start in range(DELAY + 1_900, DELAY + 2_100)]
    assert int(np.argmax(likeness)) == 100
    assert np.corrcoef(samples, decoded[DELAY : DELAY + len(samples)])[0, 1] > 0.95
    assert np.abs(decoded[: DELAY - 300].astype(int)).max() < 2_000, "something is heard before the start"


@pytest.mark.parametrize("rate", AAC_RATES)
def test_every_frame_says_what_it_is(rate: int) -> None:
    data = encoded(voice(rate // 4, rate), "aac", rate, "streamed")
    for frame in frames(data):
        header = int.from_bytes(frame[:HEADER_BYTES], "big")
        assert (header >> 40) & 0xF == 1, "MPEG-4, layer 0, no checksum"
        assert (header >> 38) & 3 == 1, "low complexity"
        assert (header >> 30) & 7 == 1, "mono"
        assert header & 3 == 0, "one raw block"
    with av.open(io.BytesIO(data)) as container:
        assert container.format.name == "aac"
        stream = container.streams.audio[0]
        assert (stream.rate, stream.channels, stream.codec_context.profile) == (rate, 1, "LC")


@pytest.mark.parametrize(("rate", "taken"), [(8_000, 8_000), (37_800, 44_100), (22_051, 24_000), (192_000, 96_000)])
def test_a_rate_that_it_has_not_becomes_the_next_one(rate: int, taken: int) -> None:
    assert encoded_rate("aac", rate) == taken
    decoded, decoded_rate = decode(encoded(voice(rate // 4, rate), "aac", rate, "streamed"))
    assert decoded_rate == taken
    assert 0 <= len(decoded) - DELAY - taken // 4 < FRAME + 1


def test_any_part_from_a_frame_on_can_be_played() -> None:
    """A player that joins a stream in the middle plays it so."""
    parts = frames(encoded(voice(24_000, 24_000), "aac", 24_000, "streamed"))
    decoded, rate = decode(b"".join(parts[5:]))
    assert rate == 24_000
    assert len(decoded) == FRAME * (len(parts) - 5)

"""The headers that players read before and after the audio."""

import hashlib
import io
import struct
import wave
from itertools import pairwise

import pytest

from orchestrator.audio.formats import AUDIO_FORMATS, CONTAINERS
from orchestrator.audio.opus_writer import LAST_PAGE, ogg_page
from orchestrator.audio.pcm import samples_to_bytes
from orchestrator.audio.pcm_writer import wav_header
from tests.unit.audio.sounds import encoded, voice

RATE = 22_050
SOUND = voice(30_000, RATE)


class Page:
    """One Ogg page, read by the layout of RFC 3533."""

    def __init__(self, data: bytes, start: int) -> None:
        magic, version, self.flags, self.granule, self.serial, self.sequence, self.checksum, segments = (
            struct.unpack_from("<4sBBqIIIB", data, start)
        )
        assert (magic, version) == (b"OggS", 0)
        lacing = data[start + 27 : start + 27 + segments]
        self.end = start + 27 + segments + sum(lacing)
        self.packets = sum(size < 255 for size in lacing)
        self.zeroed = data[start : start + 22] + bytes(4) + data[start + 26 : self.end]


def ogg_pages(data: bytes) -> list[Page]:
    pages = [Page(data, 0)]
    while pages[-1].end < len(data):
        pages.append(Page(data, pages[-1].end))
    return pages


def plain_ogg_crc(data: bytes) -> int:
    register = 0
    for byte in data:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ (0x04C11DB7 if register & 0x80000000 else 0)) & 0xFFFFFFFF
    return register


@pytest.mark.parametrize("way", ["whole", "announced"])
def test_wav_of_known_length_has_true_sizes(way: str) -> None:
    data = encoded(SOUND, "wav", RATE, "whole" if way == "whole" else "announced")
    riff_size, data_size = struct.unpack_from("<I", data, 4)[0], struct.unpack_from("<I", data, 40)[0]
    assert riff_size == len(data) - 8
    assert data_size == 2 * len(SOUND)
    with wave.open(io.BytesIO(data)) as reader:
        assert (reader.getnframes(), reader.getframerate(), reader.getnchannels()) == (len(SOUND), RATE, 1)
        assert reader.readframes(len(SOUND)) == samples_to_bytes(SOUND)


def test_wav_of_unknown_length_says_so() -> None:
    data = encoded(SOUND, "wav", RATE, "streamed")
    assert data[4:8] == data[40:44] == b"\xff\xff\xff\xff"
    assert data[44:] == samples_to_bytes(SOUND)


def test_wav_past_four_gigabytes_does_not_wrap_its_sizes() -> None:
    assert wav_header(RATE, 2**31)[4:8] == b"\xff\xff\xff\xff"


def test_flac_of_known_length_declares_it() -> None:
    for way in ("whole", "announced"):
        streaminfo = encoded(SOUND, "flac", RATE, "whole" if way == "whole" else "announced")[8:42]
        fields = int.from_bytes(streaminfo[10:18], "big")
        assert fields & (2**36 - 1) == len(SOUND)
        assert fields >> 44 == RATE


def test_whole_flac_carries_the_md5_of_its_samples() -> None:
    expected = hashlib.md5(samples_to_bytes(SOUND)).digest()
    assert encoded(SOUND, "flac", RATE, "whole")[26:42] == expected


def test_ogg_pages_are_numbered_checked_and_closed() -> None:
    pages = ogg_pages(encoded(SOUND, "opus", RATE, "streamed"))
    assert [page.sequence for page in pages] == list(range(len(pages)))
    assert [page.flags for page in pages] == [2, *[0] * (len(pages) - 2), LAST_PAGE]
    assert len({page.serial for page in pages}) == 1
    assert all(page.checksum == plain_ogg_crc(page.zeroed) for page in pages)


def test_ogg_pages_hold_a_tenth_of_a_second() -> None:
    audio = ogg_pages(encoded(SOUND, "opus", RATE, "streamed"))[2:]
    assert all(after.granule - before.granule == 4_800 for before, after in pairwise(audio[:-1]))
    assert 0 < audio[-1].granule - audio[-2].granule <= 4_800 + 960


def test_an_ogg_page_refuses_more_than_it_can_describe() -> None:
    with pytest.raises(ValueError, match="too large"):
        ogg_page([bytes(70_000)], 0, 0)


def test_mp3_starts_with_an_info_frame_that_declares_what_to_drop() -> None:
    data = encoded(SOUND, "mp3", RATE, "whole")
    assert data[13:17] == b"Info"  # 4 bytes of header and 9 of side information for mono at this rate
    flags, frames = struct.unpack_from(">II", data, 17)
    assert flags == 1
    trims = int.from_bytes(data[25 + 21 : 25 + 24], "big")
    delay, padding = trims >> 12, trims & 0xFFF
    assert frames * 576 == delay + len(SOUND) + padding


def test_every_format_has_a_type_and_a_suffix() -> None:
    assert set(CONTAINERS) == set(AUDIO_FORMATS)
    assert all(one.content_type.startswith("audio/") and one.suffix.startswith(".") for one in CONTAINERS.values())

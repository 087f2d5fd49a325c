"""Ogg Opus (RFC 7845). Its last page declares the length, so a stream is as exact as a file.

The Ogg pages (RFC 3533) are those of one logical stream whose packets never span two pages.
"""

import struct
import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from orchestrator.audio.codec import Codec
from orchestrator.audio.formats import OPUS_RATE
from orchestrator.audio.pcm import EMPTY, Samples

BIT_RATE: Final = 32_000
# libopus's "voip" filters the low end of a voice, for rooms and microphones. A synthetic voice does not need that.
APPLICATION: Final = "audio"
PACKETS_PER_PAGE: Final = 5  # 100 ms: this is the delay that the container adds
PRE_SKIP: Final = struct.Struct("<H")
PRE_SKIP_OFFSET: Final = 10
VENDOR: Final = b"Lectern"
TAGS: Final = b"OpusTags" + struct.pack("<I", len(VENDOR)) + VENDOR + struct.pack("<I", 0)
FIRST_PAGE: Final = 0x02
LAST_PAGE: Final = 0x04
SERIAL: Final = 1  # of the logical stream: fixed, so that the same audio has the same bytes; 0 troubles some players
_HEADER: Final = struct.Struct("<4sBBqIII")
_BITS_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class OpusWriter:
    """Mono Opus; takes samples at ``OPUS_RATE``."""

    def __init__(self) -> None:
        self._codec = Codec("libopus", OPUS_RATE, bit_rate=BIT_RATE, options={"application": APPLICATION})
        (self._pre_skip,) = PRE_SKIP.unpack_from(self._codec.header, PRE_SKIP_OFFSET)
        self._fed = 0
        self._packets = 0  # in full pages
        self._pages = 0
        self._waiting: list[bytes] = []

    def feed(self, samples: Samples) -> bytes:
        self._fed += len(samples)
        packets = self._waiting + self._codec.encode(samples)
        full = len(packets) - len(packets) % PACKETS_PER_PAGE
        self._waiting = packets[full:]
        pages = [self._headers()]
        for first in range(0, full, PACKETS_PER_PAGE):
            self._packets += PACKETS_PER_PAGE
            end = self._packets * self._codec.frame_size
            pages.append(self._page(packets[first : first + PACKETS_PER_PAGE], end))
        return b"".join(pages)

    def finish(self) -> bytes:
        """Returns the last page, whose granule says where in its last packet the audio ends."""
        pages = self.feed(EMPTY)
        # Without a sample libopus makes no packet, and players refuse a file without one.
        packets = self._codec.encode(np.zeros(1, np.int16)) if not self._fed else []
        packets += self._codec.flush()
        end = self._pre_skip + self._fed
        needed = -(-end // self._codec.frame_size) - self._packets
        return pages + self._page([*self._waiting, *packets][:needed], end, LAST_PAGE)

    def _headers(self) -> bytes:
        if self._pages:
            return b""
        return self._page([self._codec.header], 0, FIRST_PAGE) + self._page([TAGS], 0)

    def _page(self, packets: list[bytes], granule: int, flags: int = 0) -> bytes:
        page = ogg_page(packets, granule, self._pages, flags)
        self._pages += 1
        return page


def ogg_page(packets: Sequence[bytes], granule: int, sequence: int, flags: int = 0) -> bytes:
    """Returns a page of whole packets; ``granule`` counts the samples of the stream up to the end of this page."""
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    if len(lacing) > 255:  # noqa: PLR2004 - the field's size
        raise ValueError("These packets are too large for one Ogg page.")
    body = bytes([len(lacing)]) + lacing + b"".join(packets)
    header = [b"OggS", 0, flags, granule, SERIAL, sequence]
    checksum = ogg_crc(_HEADER.pack(*header, 0) + body)
    return _HEADER.pack(*header, checksum) + body


def ogg_crc(data: bytes) -> int:
    """Returns Ogg's CRC-32: zlib's polynomial, but from the highest bit, from zero, and not inverted at the end."""
    register = zlib.crc32(data.translate(_BITS_REVERSED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int.from_bytes(register.to_bytes(4, "little").translate(_BITS_REVERSED), "big")

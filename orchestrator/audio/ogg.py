"""Ogg pages (RFC 3533), for one logical stream whose packets never span two pages."""

import struct
import zlib
from collections.abc import Sequence
from typing import Final

FIRST_PAGE: Final = 0x02
LAST_PAGE: Final = 0x04
SERIAL: Final = 1  # of the logical stream: fixed, so that the same audio has the same bytes; 0 troubles some players

_HEADER: Final = struct.Struct("<4sBBqIII")
_BITS_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def ogg_page(packets: Sequence[bytes], granule: int, sequence: int, flags: int = 0) -> bytes:
    """Whole packets; ``granule`` counts the samples of the stream up to the end of this page."""
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    if len(lacing) > 255:  # noqa: PLR2004 - the field's size
        raise ValueError("These packets are too large for one Ogg page.")
    body = bytes([len(lacing)]) + lacing + b"".join(packets)
    header = [b"OggS", 0, flags, granule, SERIAL, sequence]
    checksum = ogg_crc(_HEADER.pack(*header, 0) + body)
    return _HEADER.pack(*header, checksum) + body


def ogg_crc(data: bytes) -> int:
    """Ogg's CRC-32: the polynomial of zlib's, but from the highest bit, from zero, and not inverted at the end."""
    register = zlib.crc32(data.translate(_BITS_REVERSED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int.from_bytes(register.to_bytes(4, "little").translate(_BITS_REVERSED), "big")

"""The "Info" frame at the head of an MP3 file, which tells players how much of the decoded audio to drop."""

import struct
from typing import Final

DECODER_DELAY: Final = 529  # samples that every layer III decoder adds before the first; players know it
HAS_FRAMES: Final = 1
HAS_BYTES: Final = 2
UNKNOWN_SIZE: Final = 0xFFFF_FFFF
VERSION_MPEG1: Final = 3


def info_frame(
    first_frame: bytes, bit_rate: int, sample_rate: int, *, delay: int, length: tuple[int, int] | None
) -> bytes:
    """A silent frame with Xing's and LAME's fields.

    ``first_frame`` is the first frame of audio, whose header it repeats; ``delay`` is what to drop at the start, not
    counting the decoder's own; ``length`` is the number of frames of audio and the samples to drop at the end,
    likewise counted as LAME does, or None while it is unknown.
    """
    mpeg1 = (first_frame[1] >> 3) & 3 == VERSION_MPEG1
    header = bytes([first_frame[0], first_frame[1], first_frame[2] & ~0x02, first_frame[3]])  # no padding byte
    side_information = bytes(17 if mpeg1 else 9)  # for mono
    if length is None:
        # FFmpeg looks at the delay only if a count or a size is there, and mistakes a count for the duration.
        frames, padding = 0, 0
        xing = struct.pack(">4sII", b"Info", HAS_BYTES, UNKNOWN_SIZE)
    else:
        # The size would be right here, but FFmpeg before 6 then ignores the padding of a file it reads from a pipe.
        frames, padding = length
        xing = struct.pack(">4sII", b"Info", HAS_FRAMES, frames)
    lame = struct.pack(
        ">9sB9xBB3s10x",
        b"LAME3.100",
        0x01,  # tag revision 0, constant bit rate
        0,  # encoder flags
        min(bit_rate // 1000, 255),
        (delay << 12 | padding).to_bytes(3, "big"),
    )
    tagged = header + side_information + xing + lame
    tagged += crc16(tagged).to_bytes(2, "big")
    return tagged.ljust((144 if mpeg1 else 72) * bit_rate // sample_rate, b"\0")


def crc16(data: bytes) -> int:
    """CRC-16/ARC, which LAME's fields end with."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc

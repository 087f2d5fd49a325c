"""Audio files that are small, and take much to open: for a cover picture, or for their tags."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Final

PNG: Final = b"\x89PNG\r\n\x1a\n"


def png(side: int) -> bytes:
    """Black, and so a three hundredth of a byte for each point."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(side * 3 + 1)) for _ in range(side)) + packer.flush()
    return (
        PNG
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        + _chunk(b"IDAT", rows)
        + _chunk(b"IEND", b"")
    )


def flac_with(picture: bytes, audio: bytes) -> bytes:
    block = struct.pack(">II", 3, 9) + b"image/png" + struct.pack(">IIIIII", 0, 1, 1, 24, 0, len(picture)) + picture
    return _with_block(6, block, audio)


def flac_with_tags(count: int, audio: bytes) -> bytes:
    """FFmpeg looks for each among all that it has: the time goes by the square of their number."""
    tags = b"".join(struct.pack("<I", 9) + b"T%06d=x" % number for number in range(count))
    return _with_block(4, struct.pack("<II", 0, count) + tags, audio)


def _with_block(kind: int, block: bytes, audio: bytes) -> bytes:
    """Behind the first block, which says what the audio is and may be the last by now."""
    end = 8 + int.from_bytes(audio[5:8])
    head = bytes([kind]) + len(block).to_bytes(3)
    return audio[:4] + bytes([audio[4] & 0x7F]) + audio[5:end] + head + block + audio[end:]


def mp3_with(picture: bytes, audio: bytes) -> bytes:
    """In a tag of its own before all else; of two tags, the first one counts."""
    content = b"\0image/png\0\x03\0" + picture
    frame = b"APIC" + struct.pack(">IH", len(content), 0) + content
    return b"ID3\x03\0\0" + bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0)) + frame + audio


def m4a_with(picture: bytes, audio: bytes) -> bytes:
    """In the box `moov`, which stands last, so that nothing is moved that it points to."""
    cover = _box(b"covr", _box(b"data", struct.pack(">II", 14, 0) + picture))
    handler = _box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    told = _box(b"udta", _box(b"meta", bytes(4) + handler + _box(b"ilst", cover)))
    source, boxes = io.BytesIO(audio), b""
    while head := source.read(8):
        size, kind = struct.unpack(">I4s", head)
        content = source.read(size - 8)
        boxes += _box(kind, content + told) if kind == b"moov" else head + content
    return boxes


WAYS: Final[dict[str, tuple[str, str, Callable[[bytes, bytes], bytes]]]] = {
    "flac": ("flac", "flac", flac_with),
    "mp3": ("mp3", "libmp3lame", mp3_with),
    "m4a": ("mp4", "aac", m4a_with),
}
"""By name the container, the codec, and how a cover is put into such a file."""


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content

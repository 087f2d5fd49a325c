"""The file of a cached segment: a FLAC for any player, with the marks of the words in a metadata block.

It is one object, so that no crash leaves half a segment, and it proves itself without anything beside it: FLAC has an
MD5 of the samples, and the metadata block has checksums of FLAC's header and of the marks.
"""

import struct
import zlib
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from lectern.triton import Mark
from orchestrator.audio.decoding import UnreadableAudioError, decode
from orchestrator.audio.flac_writer import (
    APPLICATION,
    LAST_BLOCK,
    MAGIC,
    STREAMINFO,
    STREAMINFO_BYTES,
    StreamInfo,
    flac_parts,
    metadata_block,
)

_OURS: Final = b"Lctn"  # which application's block it is; no other may follow
_CHECKSUMS: Final = struct.Struct(">4sII")  # the application, CRC-32 of STREAMINFO, CRC-32 of the marks in JSON
_STREAMINFO: Final = slice(8, 8 + STREAMINFO_BYTES)
_APPLICATION: Final = _STREAMINFO.stop
_MARKS: Final = _APPLICATION + 4 + _CHECKSUMS.size
LENGTH_BYTES: Final = _MARKS  # of the file, which tell how long the audio is
_DECODER: Final = msgspec.json.Decoder(list[Mark])


class Length(NamedTuple):
    """The length of a segment's audio; the rate is in Hz."""

    samples: int
    sample_rate: int

    @property
    def seconds(self) -> float:
        return self.samples / self.sample_rate


class CachedAudio(msgspec.Struct, frozen=True):
    """Int16 mono samples, their rate in Hz, and the marks of the words."""

    samples: npt.NDArray[np.int16]
    sample_rate: int
    marks: list[Mark]

    @property
    def length(self) -> Length:
        return Length(len(self.samples), self.sample_rate)


def pack(audio: CachedAudio) -> bytes:
    """Returns the same bytes for the same audio."""
    streaminfo, frames = flac_parts(audio.samples, audio.sample_rate)
    marks = msgspec.json.encode(audio.marks)
    checksums = _CHECKSUMS.pack(_OURS, zlib.crc32(streaminfo), zlib.crc32(marks))
    blocks = metadata_block(STREAMINFO, streaminfo) + metadata_block(APPLICATION | LAST_BLOCK, checksums + marks)
    return MAGIC + blocks + frames


def unpack(data: bytes) -> CachedAudio:
    """Raises `UnreadableAudioError` unless audio and marks are what was written."""
    stream = _stream_info(data)
    marks = data[_MARKS : _APPLICATION + 4 + int.from_bytes(data[_APPLICATION + 1 : _APPLICATION + 4], "big")]
    if zlib.crc32(marks) != _CHECKSUMS.unpack_from(data, _APPLICATION + 4)[2]:
        raise UnreadableAudioError("The marks of the words are not what was written.")
    samples, rate = decode(data)
    if rate != stream.sample_rate or not stream.fits(samples):
        raise UnreadableAudioError("The samples are not what was written.")
    return CachedAudio(samples, rate, _DECODER.decode(marks))


def read_length(beginning: bytes) -> Length:
    """Takes the first `LENGTH_BYTES` of the file. Raises `UnreadableAudioError`."""
    stream = _stream_info(beginning)
    return Length(stream.samples, stream.sample_rate)


def _stream_info(data: bytes) -> StreamInfo:
    kinds = (data[4:5], data[_APPLICATION : _APPLICATION + 1])
    if len(data) < LENGTH_BYTES or data[:4] != MAGIC or kinds != (b"\x00", bytes([APPLICATION | LAST_BLOCK])):
        raise UnreadableAudioError("The file is no segment's.")
    streaminfo = data[_STREAMINFO]
    application, checksum, _ = _CHECKSUMS.unpack_from(data, _APPLICATION + 4)
    if application != _OURS or zlib.crc32(streaminfo) != checksum:
        raise UnreadableAudioError("The header is not what was written.")
    return StreamInfo.read(streaminfo)

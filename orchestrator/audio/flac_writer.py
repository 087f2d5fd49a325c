"""FLAC (RFC 9639): bit exact, and the format of the audio cache."""

import hashlib
from typing import Final, NamedTuple, Self

from orchestrator.audio.codec import Codec
from orchestrator.audio.pcm import Samples, samples_to_bytes

MAGIC: Final = b"fLaC"
STREAMINFO_BYTES: Final = 34
STREAMINFO: Final = 0  # types of metadata blocks
APPLICATION: Final = 2
LAST_BLOCK: Final = 0x80  # in the type of a metadata block: the frames follow
RATE_TO_TOTAL: Final = slice(10, 18)  # sample rate, channels, bits, and in the lowest 36 bits the number of samples
TOTAL_BITS: Final = 36
RATE_SHIFT: Final = 44
MD5: Final = slice(18, 34)


class StreamInfo(NamedTuple):
    """What the first metadata block says of the whole stream. The rate is in Hz."""

    samples: int
    sample_rate: int
    md5: bytes

    @classmethod
    def read(cls, block: bytes) -> Self:
        fields = int.from_bytes(block[RATE_TO_TOTAL], "big")
        return cls(fields & ((1 << TOTAL_BITS) - 1), fields >> RATE_SHIFT, block[MD5])

    def fits(self, samples: Samples) -> bool:
        md5 = hashlib.md5(samples_to_bytes(samples), usedforsecurity=False)
        return len(samples) == self.samples and md5.digest() == self.md5


class FlacWriter:
    """A FLAC stream, sent while it is encoded; its header declares ``total_samples`` if they are known."""

    def __init__(self, sample_rate: int, total_samples: int | None) -> None:
        self._codec = Codec("flac", sample_rate)
        streaminfo = self._codec.header
        if total_samples is not None:
            fields = bytearray(streaminfo)
            declared = int.from_bytes(fields[RATE_TO_TOTAL], "big") | total_samples
            fields[RATE_TO_TOTAL] = declared.to_bytes(8, "big")
            streaminfo = bytes(fields)
        self._header = MAGIC + metadata_block(STREAMINFO | LAST_BLOCK, streaminfo)

    def feed(self, samples: Samples) -> bytes:
        header, self._header = self._header, b""
        return header + b"".join(self._codec.encode(samples))

    def finish(self) -> bytes:
        return self._header + b"".join(self._codec.flush())


def whole_flac(samples: Samples, sample_rate: int) -> bytes:
    """Returns a file whose header has the number of samples, their MD5 and the sizes of the frames."""
    streaminfo, frames = flac_parts(samples, sample_rate)
    return MAGIC + metadata_block(STREAMINFO | LAST_BLOCK, streaminfo) + frames


def flac_parts(samples: Samples, sample_rate: int) -> tuple[bytes, bytes]:
    """Returns the content of the STREAMINFO block, which is complete, and all frames."""
    codec = Codec("flac", sample_rate)
    packets = codec.encode(samples) + codec.flush()
    if codec.last_packet is None:
        raise RuntimeError("FFmpeg's FLAC encoder ended without its header.")
    return bytes(codec.last_packet.get_sidedata("new_extradata")), b"".join(packets)


def metadata_block(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + len(content).to_bytes(3, "big") + content

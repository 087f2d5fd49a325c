"""FLAC (RFC 9639): bit exact, and the format of the audio cache."""

from typing import Final

from orchestrator.audio.codec import Codec
from orchestrator.audio.pcm import Samples

STREAMINFO_BYTES: Final = 34
LAST_BLOCK: Final = 0x80  # no metadata but STREAMINFO
RATE_TO_TOTAL: Final = slice(10, 18)  # sample rate, channels, bits, and in the lowest 36 bits the number of samples


class FlacWriter:
    """A FLAC stream, sent while it is encoded; its header declares ``total_samples`` if they are known."""

    def __init__(self, sample_rate: int, total_samples: int | None) -> None:
        self._codec = Codec("flac", sample_rate)
        self._header = flac_header(self._codec.header, total_samples)

    def feed(self, samples: Samples) -> bytes:
        header, self._header = self._header, b""
        return header + b"".join(self._codec.encode(samples))

    def finish(self) -> bytes:
        return self._header + b"".join(self._codec.flush())


def whole_flac(samples: Samples, sample_rate: int) -> bytes:
    """Returns a file whose header has the number of samples, their MD5 and the sizes of the frames."""
    codec = Codec("flac", sample_rate)
    packets = codec.encode(samples) + codec.flush()
    if codec.last_packet is None:
        raise RuntimeError("FFmpeg's FLAC encoder ended without its header.")
    streaminfo = bytes(codec.last_packet.get_sidedata("new_extradata"))
    return flac_header(streaminfo, None) + b"".join(packets)


def flac_header(streaminfo: bytes, total_samples: int | None) -> bytes:
    fields = bytearray(streaminfo)
    if total_samples is not None:
        declared = int.from_bytes(fields[RATE_TO_TOTAL], "big") | total_samples
        fields[RATE_TO_TOTAL] = declared.to_bytes(8, "big")
    return b"fLaC" + bytes([LAST_BLOCK]) + STREAMINFO_BYTES.to_bytes(3, "big") + fields

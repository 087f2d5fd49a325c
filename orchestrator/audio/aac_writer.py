"""AAC-LC in ADTS frames (ISO 13818-7), the form of OpenAI's `aac`."""

from typing import Final

import numpy as np

from orchestrator.audio.codec import Codec
from orchestrator.audio.pcm import Samples

BIT_RATE: Final = 64_000
DELAY: Final = 1024  # samples that every decoder returns before the first one; ADTS has no field to declare them
HEADER_BYTES: Final = 7  # without a checksum


class AacWriter:
    """Sends each frame when it is encoded.

    Decoded, the stream begins with `DELAY` samples of silence and ends with a full frame.
    """

    def __init__(self, sample_rate: int) -> None:
        self._codec = Codec("aac", sample_rate, sample_format="fltp", bit_rate=BIT_RATE)
        self._fed = False
        self._header = AdtsHeader(self._codec.header)

    def feed(self, samples: Samples) -> bytes:
        self._fed = self._fed or bool(len(samples))
        return self._frames(self._codec.encode(samples))

    def finish(self) -> bytes:
        # Players do not recognise a file without a frame as AAC.
        ready = b"" if self._fed else self.feed(np.zeros(1, np.int16))
        return ready + self._frames(self._codec.flush())

    def _frames(self, packets: list[bytes]) -> bytes:
        return b"".join(self._header.before(packet) + packet for packet in packets)


class AdtsHeader:
    """The header before every frame, built from the codec's AudioSpecificConfig (ISO 14496-3, 1.6.2.1)."""

    def __init__(self, config: bytes) -> None:
        fields = int.from_bytes(config[:2], "big")
        self._object_type = fields >> 11
        self._rate_index = (fields >> 7) & 0xF
        self._channels = (fields >> 3) & 0xF

    def before(self, packet: bytes) -> bytes:
        sync_mpeg4_no_checksum = 0xFFF1
        variable_rate = 0x7FF
        fields = sync_mpeg4_no_checksum
        fields = fields << 2 | (self._object_type - 1)
        fields = fields << 4 | self._rate_index
        fields = fields << 1  # private
        fields = fields << 3 | self._channels
        fields = fields << 4  # original, home and two bits of copyright
        fields = fields << 13 | (len(packet) + HEADER_BYTES)
        fields = fields << 11 | variable_rate
        return (fields << 2).to_bytes(HEADER_BYTES, "big")  # one raw block in each frame

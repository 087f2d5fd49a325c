"""MP3 that starts at its first sample, and also ends at its last if the length is known from the start."""

import struct
from typing import Final

import numpy as np

from orchestrator.audio.codec import Codec
from orchestrator.audio.pcm import EMPTY, Samples

BIT_RATE: Final = 64_000  # the highest that all of MPEG-1, 2 and 2.5 have, and plenty for one voice
LAME_DELAY: Final = 576  # samples that LAME adds before the first
DECODER_DELAY: Final = 529  # samples that every layer III decoder adds before the first; players know it
MIN_FRAMES: Final = 6  # beside the Info frame; with fewer, FFmpeg may take the file for something else
# The samples that players drop at the start, by the size of a frame. They are whole frames, so that the first sample
# opens one. Otherwise both ends of a short file may lie in one frame, and FFmpeg then drops too little. They are as few
# as cover the delays, but from 32 kHz up enough that the 12 bits of the field for the end can declare MIN_FRAMES' rest.
LEAD_IN: Final = {576: 2 * 576, 1152: 3 * 1152}
HAS_FRAMES: Final = 1
HAS_BYTES: Final = 2
UNKNOWN_SIZE: Final = 0xFFFF_FFFF
VERSION_MPEG1: Final = 3


class Mp3Writer:
    """Constant bit rate. Frames are sent as LAME makes them, without a muxer, as MP3 has no container.

    A decoder cannot be told at the end how much of the last frame is audio. So a stream of unknown length decodes to
    up to one frame (24 ms at 24 kHz) of silence more than went in; a stream of less than ``MIN_FRAMES`` to up to that.
    """

    def __init__(self, sample_rate: int, total_samples: int | None) -> None:
        self._sample_rate = sample_rate
        self._total = total_samples
        self._fed = 0
        self._frames = 0  # sent, not counting the Info frame
        self._codec = Codec("libmp3lame", sample_rate, sample_format="s16p", bit_rate=BIT_RATE)
        self._frame_size = self._codec.frame_size
        self._delay = LEAD_IN[self._frame_size] - DECODER_DELAY
        self._lead_in = np.zeros(self._delay - LAME_DELAY, np.int16)

    def feed(self, samples: Samples) -> bytes:
        lead_in, self._lead_in = self._lead_in, EMPTY
        self._fed += len(samples)
        return self._send(self._codec.encode(lead_in) + self._codec.encode(samples))

    def finish(self) -> bytes:
        """Returns the last frames: as many as hold the samples, and no more, although LAME returns more."""
        ready = self.feed(EMPTY)
        frames = self._codec.encode(np.zeros(MIN_FRAMES * self._frame_size, np.int16)) + self._codec.flush()
        return ready + self._send(frames[: self._frames_for(self._fed) - self._frames])

    def _send(self, frames: list[bytes]) -> bytes:
        head = self._info(frames[0]) if frames and not self._frames else b""
        self._frames += len(frames)
        return head + b"".join(frames)

    def _info(self, first_frame: bytes) -> bytes:
        length = None
        if self._total is not None:
            frames = self._frames_for(self._total)
            length = frames, frames * self._frame_size - self._delay - self._total
        return info_frame(first_frame, BIT_RATE, self._sample_rate, delay=self._delay, length=length)

    def _frames_for(self, samples: int) -> int:
        return max(MIN_FRAMES, -(-(LEAD_IN[self._frame_size] + samples) // self._frame_size))


def info_frame(
    first_frame: bytes, bit_rate: int, sample_rate: int, *, delay: int, length: tuple[int, int] | None
) -> bytes:
    """Returns the "Info" frame, silent, with Xing's and LAME's fields: how much of the decoded audio players drop.

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

"""MP3 that starts at its first sample, and also ends at its last if the length is known from the start."""

from typing import Final

import numpy as np

from orchestrator.audio.codec import Codec
from orchestrator.audio.mp3_info import DECODER_DELAY, info_frame
from orchestrator.audio.pcm import EMPTY, Samples

BIT_RATE: Final = 64_000  # the highest that all of MPEG-1, 2 and 2.5 have, and plenty for one voice
LAME_DELAY: Final = 576  # samples that LAME adds before the first
MIN_FRAMES: Final = 6  # beside the Info frame; with fewer, FFmpeg may take the file for something else
# What players drop at the start, by the size of a frame: whole frames, so that the first sample opens one. Otherwise
# the ends of a short file may lie in one frame, and FFmpeg then drops too little. As few as cover the delays, but from
# 32 kHz up enough that the field for the end, which has 12 bits, can declare the rest of MIN_FRAMES.
LEAD_IN: Final = {576: 2 * 576, 1152: 3 * 1152}


class Mp3Writer:
    """Constant bit rate; frames leave as LAME makes them, without a muxer, for MP3 has no container.

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
        """The last frames: as many as hold the samples, and no more, although LAME gives more."""
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

"""One FFmpeg encoder without FFmpeg's muxers, so that a response costs no more than it must.

FFmpeg's muxers would keep megabytes of an abandoned response until the garbage collector finds the cycle in PyAV. And
PyAV's own `encode` first sends the frames through a filter graph, which starts a thread for every processor.
"""

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from orchestrator.audio.pcm import EMPTY, Samples, audio_frame


class Codec:
    """A mono encoder. ``header`` is the codec's extradata, there before any packet; ``frame_size`` is in samples."""

    def __init__(
        self,
        name: str,
        sample_rate: int,
        *,
        sample_format: str = "s16",
        bit_rate: int | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        context = AudioCodecContext.create(name, "w")
        if not isinstance(context, AudioCodecContext):
            raise TypeError(f"{name} does not encode audio.")
        context.sample_rate = sample_rate
        context.layout = "mono"
        context.format = sample_format
        context.time_base = Fraction(1, sample_rate)
        context.thread_count = 1
        context.options = options or {}
        if bit_rate is not None:
            context.bit_rate = bit_rate
        context.open()
        self._context = context
        self._sample_rate = sample_rate
        self._sample_format = sample_format
        self._encoded = 0
        self._waiting = EMPTY  # less than a frame
        self.last_packet: av.Packet[av.AudioStream] | None = None  # with what the codec attached to it
        self.frame_size = context.frame_size
        self.header = context.extradata or b""

    def encode(self, samples: Samples) -> list[bytes]:
        """Returns the packets that became ready."""
        samples = np.concatenate([self._waiting, samples])
        full = len(samples) - len(samples) % self.frame_size
        self._waiting = samples[full:].copy()  # not a view, which would keep the whole chunk alive
        return [
            packet
            for start in range(0, full, self.frame_size)
            for packet in self._send(samples[start : start + self.frame_size])
        ]

    def flush(self) -> list[bytes]:
        """Returns the remaining packets. Nothing may be encoded afterwards."""
        last = list(self._send(self._waiting)) if len(self._waiting) else []
        return [*last, *self._send(None)]

    def _send(self, samples: Samples | None) -> Iterator[bytes]:
        frame = None
        if samples is not None:
            frame = audio_frame(samples, self._sample_rate, self._encoded, self._sample_format)
            self._encoded += len(samples)
        for packet in self._context._send_frame_and_recv(frame):  # type: ignore[attr-defined]  # noqa: SLF001
            self.last_packet = packet
            yield bytes(packet)

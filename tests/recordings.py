"""Recordings as people send them, made up: good ones, and ones with every fault there is."""

import io
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt

Sound = npt.NDArray[np.float32]

SECONDS: Final = 5.0
TRANSCRIPT: Final = "The kettle sang on the stove, and the first snow of the year fell on the road."  # 5 s of speech
CONSENT: Final = "I am the speaker, and I agree that a voice is made of this recording."


def tone(hertz: float = 300.0, seconds: float = SECONDS, rate: int = 24_000, level: float = 0.3) -> Sound:
    """``level`` is a share of full scale."""
    sound: Sound = (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)
    return sound


def silence(seconds: float, rate: int = 24_000) -> Sound:
    return np.zeros(round(seconds * rate), np.float32)


def file(
    *streams: Sound, rate: int = 24_000, container: str = "wav", codec: str = "pcm_s16le", video: str | None = None
) -> bytes:
    """Each stream is one row of samples, or a row for each channel. ``video`` is a codec of 25 black frames."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as output:
        audio: list[Any] = [output.add_stream(codec, rate=rate, layout=_layout(sound)) for sound in streams]
        moving: Any = output.add_stream(video, rate=25) if video else None
        if moving is not None:
            moving.width, moving.height, moving.pix_fmt = 64, 64, "yuv420p"
            for number in range(25):
                picture = av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), format="yuv420p")
                picture.pts, picture.time_base = number, Fraction(1, 25)
                output.mux(moving.encode(picture))
            output.mux(moving.encode(None))
        for stream, sound in zip(audio, streams, strict=True):
            for frame in _frames(np.atleast_2d(sound), rate):
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    return target.getvalue()


def with_subtitles() -> bytes:
    """The sound goes in as it comes out of a file: PyAV writes no subtitles, yet copies any stream."""
    text = b"1\n00:00:00,000 --> 00:00:05,000\nHello.\n"
    target = io.BytesIO()
    with (
        av.open(io.BytesIO(file(tone())), "r") as sound,
        av.open(io.BytesIO(text), "r", format="srt") as words,
        av.open(target, "w", format="matroska") as output,
    ):
        sources = (sound, words)
        copies = [output.add_stream_from_template(source.streams[0]) for source in sources]
        for source, copy in zip(sources, copies, strict=True):
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = copy
                    output.mux(packet)
    return target.getvalue()


def _layout(sound: Sound) -> str:
    return "mono" if sound.ndim == 1 else "stereo"


def _frames(channels: Sound, rate: int, size: int = 4_096) -> list[av.AudioFrame]:
    frames = []
    for start in range(0, channels.shape[1], size):
        part = np.ascontiguousarray(channels[:, start : start + size], np.float32)
        frame = av.AudioFrame.from_ndarray(
            part, format="fltp", layout=_layout(channels) if len(channels) > 1 else "mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        frames.append(frame)
    return frames


def pitch(samples: npt.NDArray[np.int16], rate: int) -> float:
    """The strongest frequency, in Hz."""
    spectrum = np.abs(np.fft.rfft(samples.astype(float) * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate / len(samples))

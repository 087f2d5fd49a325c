"""`lectern speak` straight from Triton. Gives plain samples only: there is no encoder here."""

import argparse
import struct
import time
from contextlib import closing
from typing import TYPE_CHECKING, Final

import lectern_contract as contract
from lectern.captions import captions
from lectern.cli.captioning import caption_format, check_captions, write_captions
from lectern.cli.direct import connected, first_model
from lectern.cli.exits import UsageError
from lectern.cli.options import voicing
from lectern.cli.output import Sink, check_output, chosen_format, opened
from lectern.cli.speaking import finish
from lectern.errors import LecternError
from lectern.types import Word
from lectern.voicing import Voicing

if TYPE_CHECKING:
    from lectern.triton import Card, SpeakOptions, TimedChunk

_DEADLINE: Final = 120.0  # seconds for one text
_BYTES_PER_SAMPLE: Final = 2
_UNKNOWN: Final = 0xFFFFFFFF  # a length that the readers of WAV take for "until the end"
_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")


def speak(options: argparse.Namespace, text: str) -> None:
    from lectern.cli.progress import seconds_bar  # noqa: PLC0415 - slow to import, and --help needs none of it

    if options.loudness is not None or options.sample_rate is not None:
        raise UsageError("--loudness and --sample-rate are the server's: leave out --triton")
    check_output(options)
    check_captions(options)
    audio_format = chosen_format(options)
    if options.play and not options.format and audio_format != "pcm":
        audio_format = "wav"
    if audio_format not in {"wav", "pcm"}:
        raise UsageError(f"Triton gives plain samples, not {audio_format}: use .wav or .pcm, or leave out --triton")
    if len(text) > contract.MAX_TEXT:
        raise UsageError(f"Triton takes {contract.MAX_TEXT} characters at once, not {len(text)}: leave out --triton")
    how = voicing(options)
    start = time.monotonic()
    words: list[Word] = []
    heard_out = False
    with connected(options) as triton:
        model = options.model or first_model(triton)
        card = triton.card(model)
        chunks = triton.speak_timed(model, text, **_asked(card, how, model))
        with opened(options, rate=card.sample_rate) as output, seconds_bar() as bar, closing(chunks):
            samples = _Samples(output, in_wave=audio_format == "wav", streamed=options.play)
            for chunk in chunks:
                samples.add(chunk)
                words += chunk.words
                bar.update(chunk.audio.size / chunk.sample_rate)
            if not samples.count:
                raise LecternError(f"{model} answered without any audio")
            samples.end()
            if options.captions:
                form = caption_format(options.captions)
                write_captions(options.captions, captions(words, text, samples.seconds, form))
            heard_out = True
    elapsed = time.monotonic() - start
    facts = {
        "file": options.output,
        "format": audio_format,
        "model": model,
        "voice": options.voice,
        "sample_rate": samples.rate,
        "audio_seconds": round(samples.seconds, 3),
        "elapsed_seconds": round(elapsed, 3),
    }
    line = f"{samples.seconds:.1f} s of audio at {samples.rate} Hz in {elapsed:.1f} s"
    finish(options, facts, line, heard_out=heard_out)


def _asked(card: "Card", how: Voicing, model: str) -> "SpeakOptions":
    from lectern.triton import InvalidRequest  # noqa: PLC0415 - an extra, which not every user has

    try:
        return {**card.options(how), "deadline": _DEADLINE}
    except InvalidRequest as error:
        raise UsageError(f"{model}: {error} (see `lectern voices --triton`)") from error


class _Samples:
    """Writes samples as they come. In a WAV file they wait for the end: its header, which goes first, has their length,
    and stdout cannot be rewound. A player does not wait, and is told that the length is not known.
    """

    def __init__(self, output: Sink, *, in_wave: bool, streamed: bool) -> None:
        self._output = output
        self._in_wave = in_wave
        self._streamed = streamed
        self._waiting = bytearray()
        self.count = 0
        self.rate = 0

    @property
    def seconds(self) -> float:
        return self.count / self.rate if self.rate else 0.0

    def add(self, chunk: "TimedChunk") -> None:
        if self._in_wave and self._streamed and not self.rate:
            self._output.write(_header(chunk.sample_rate, _UNKNOWN))
        self.rate = chunk.sample_rate
        self.count += chunk.audio.size
        if self._in_wave and not self._streamed:
            self._waiting += chunk.audio.tobytes()
        else:
            self._output.write(chunk.audio.tobytes())

    def end(self) -> None:
        if self._in_wave and not self._streamed:
            self._output.write(_header(self.rate, len(self._waiting)) + self._waiting)


def _header(rate: int, size: int) -> bytes:
    """Of a WAV file with `size` bytes of 16-bit mono samples."""
    riff = min(size + _HEADER.size - 8, _UNKNOWN)
    bytes_a_second = rate * _BYTES_PER_SAMPLE
    kind = (1, 1, rate, bytes_a_second, _BYTES_PER_SAMPLE, 8 * _BYTES_PER_SAMPLE)
    return _HEADER.pack(b"RIFF", riff, b"WAVE", b"fmt ", 16, *kind, b"data", size)

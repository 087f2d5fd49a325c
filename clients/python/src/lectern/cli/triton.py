"""`--triton`: speak, voices and status straight from Triton, past the server.

There is no encoder here: speech is plain samples.
"""

import argparse
import os
import struct
import time
from contextlib import closing
from typing import TYPE_CHECKING, Final

import lectern_contract as contract
from lectern.captions import captions
from lectern.cli.captions import caption_format, check_captions, write_captions
from lectern.cli.errors import UsageError
from lectern.cli.options import voicing
from lectern.cli.output import Sink, audio_format, check_output, open_output, report_speech
from lectern.errors import LecternError
from lectern.types import Check, Status, Voice, Word
from lectern.voicing import Voicing

if TYPE_CHECKING:
    from lectern.triton import Card, SpeakOptions, TimedChunk, Triton

_SECRET_VARIABLE: Final = "TRITON_SECRET"  # noqa: S105 - a command line would show it to everybody on the machine
_DEADLINE: Final = 120.0  # seconds for one text
_BYTES_PER_SAMPLE: Final = 2
_UNKNOWN_LENGTH: Final = 0xFFFFFFFF  # readers of WAV take it for "until the end"
_WAV_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")


def speak(options: argparse.Namespace, text: str) -> None:
    from lectern.cli.progress_bars import seconds_bar  # noqa: PLC0415 - tqdm is slow to import, and --help needs none

    if options.loudness is not None or options.sample_rate is not None:
        raise UsageError("--loudness and --sample-rate are the server's: leave out --triton")
    check_output(options)
    check_captions(options)
    chosen_format = audio_format(options)
    if options.play and not options.format and chosen_format != "pcm":
        chosen_format = "wav"
    if chosen_format not in {"wav", "pcm"}:
        raise UsageError(f"Triton gives plain samples, not {chosen_format}: use .wav or .pcm, or leave out --triton")
    if len(text) > contract.MAX_TEXT:
        raise UsageError(f"Triton takes {contract.MAX_TEXT} characters at once, not {len(text)}: leave out --triton")
    chosen_voicing = voicing(options)
    start = time.monotonic()
    words: list[Word] = []
    complete = False
    with _connect(options) as triton:
        model = options.model or _first_model(triton)
        card = triton.card(model)
        chunks = triton.speak_timed(model, text, **_speak_options(card, chosen_voicing, model))
        with open_output(options, rate=card.sample_rate) as output, seconds_bar() as bar, closing(chunks):
            samples = _SampleWriter(output, wav=chosen_format == "wav", streamed=options.play)
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
            complete = True
    elapsed = time.monotonic() - start
    facts = {
        "file": options.output,
        "format": chosen_format,
        "model": model,
        "voice": options.voice,
        "sample_rate": samples.rate,
        "audio_seconds": round(samples.seconds, 3),
        "elapsed_seconds": round(elapsed, 3),
    }
    line = f"{samples.seconds:.1f} s of audio at {samples.rate} Hz in {elapsed:.1f} s"
    report_speech(options, facts, line, complete=complete)


def voices(options: argparse.Namespace) -> list[Voice]:
    wanted = options.language.lower() if options.language else None
    with _connect(options) as triton:
        models = [options.model] if options.model else _speech_models(triton)
        return [
            Voice(
                name=voice.name,
                model=model,
                language=voice.language,
                gender=voice.gender,
                description=voice.description,
            )
            for model in models
            for voice in triton.card(model).voices
            if wanted is None or voice.language.lower() == wanted or voice.language.lower().startswith(f"{wanted}-")
        ]


def status(options: argparse.Namespace) -> Status:
    """Returns ready if every model that Triton has loaded speaks a word now."""
    with _connect(options) as triton:
        version = triton.server_version()
        checks = [_probe(triton, model) for model in _speech_models(triton)]
    if not checks:
        checks = [Check(name="models", ok=False, detail="none is loaded")]
    return Status(status="ready" if all(check.ok for check in checks) else "unready", version=version, checks=checks)


def _connect(options: argparse.Namespace) -> "Triton":
    try:
        from lectern.triton import Triton  # noqa: PLC0415 - an extra, which not every user has
    except ImportError as error:
        raise UsageError(str(error)) from error
    try:
        return Triton(options.triton, secret=os.environ.get(_SECRET_VARIABLE))
    except ValueError as error:
        raise UsageError(f"--triton: {error}") from error


def _speech_models(triton: "Triton") -> list[str]:
    return sorted(model.name for model in triton.models() if model.speaks)


def _first_model(triton: "Triton") -> str:
    models = _speech_models(triton)
    if not models:
        raise LecternError(f"Triton at {triton.address} has no speech model loaded")
    return models[0]


def _probe(triton: "Triton", model: str) -> Check:
    try:
        probe = triton.probe(model)
    except LecternError as error:
        return Check(name=f"model {model}", ok=False, detail=str(error))
    return Check(name=f"model {model}", ok=True, detail=f"spoke in {probe.seconds * 1000:.0f} ms")


def _speak_options(card: "Card", chosen: Voicing, model: str) -> "SpeakOptions":
    from lectern.triton import InvalidRequest  # noqa: PLC0415 - an extra, which not every user has

    try:
        return {**card.options(chosen), "deadline": _DEADLINE}
    except InvalidRequest as error:
        raise UsageError(f"{model}: {error} (see `lectern voices --triton`)") from error


class _SampleWriter:
    """Writes samples as they come.

    A WAV file waits for the end, because its header comes first and has the length, and stdout cannot be rewound. A
    player does not wait: its header says that the length is unknown.
    """

    def __init__(self, output: Sink, *, wav: bool, streamed: bool) -> None:
        self._output = output
        self._wav = wav
        self._streamed = streamed
        self._waiting = bytearray()
        self.count = 0
        self.rate = 0

    @property
    def seconds(self) -> float:
        return self.count / self.rate if self.rate else 0.0

    def add(self, chunk: "TimedChunk") -> None:
        if self._wav and self._streamed and not self.rate:
            self._output.write(_wav_header(chunk.sample_rate, _UNKNOWN_LENGTH))
        self.rate = chunk.sample_rate
        self.count += chunk.audio.size
        if self._wav and not self._streamed:
            self._waiting += chunk.audio.tobytes()
        else:
            self._output.write(chunk.audio.tobytes())

    def end(self) -> None:
        if self._wav and not self._streamed:
            self._output.write(_wav_header(self.rate, len(self._waiting)) + self._waiting)


def _wav_header(rate: int, size: int) -> bytes:
    """Returns the header of a WAV file with `size` bytes of 16-bit mono samples."""
    riff = min(size + _WAV_HEADER.size - 8, _UNKNOWN_LENGTH)
    bytes_per_second = rate * _BYTES_PER_SAMPLE
    encoding = (1, 1, rate, bytes_per_second, _BYTES_PER_SAMPLE, 8 * _BYTES_PER_SAMPLE)
    return _WAV_HEADER.pack(b"RIFF", riff, b"WAVE", b"fmt ", 16, *encoding, b"data", size)

"""The commands' way past the server, straight to Triton. Gives plain samples only: there is no encoder here."""

import argparse
import io
import time
import wave
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, Final

from lectern import contract
from lectern.cli.exits import UsageError
from lectern.cli.output import chosen_format, opened, report
from lectern.errors import LecternError
from lectern.types import Check, Status, Voice

if TYPE_CHECKING:
    from lectern.triton import Card, CardVoice, Triton

_DEADLINE: Final = 120.0  # seconds for one text
_BYTES_PER_SAMPLE: Final = 2


def speak(options: argparse.Namespace, text: str) -> None:
    from lectern.cli.progress import seconds_bar  # noqa: PLC0415 - slow to import, and --help needs none of it

    audio_format = chosen_format(options)
    if audio_format not in {"wav", "pcm"}:
        raise UsageError(f"Triton gives plain samples, not {audio_format}: use .wav or .pcm, or leave out --triton")
    if len(text) > contract.MAX_TEXT:
        raise UsageError(f"Triton takes {contract.MAX_TEXT} characters at once, not {len(text)}: leave out --triton")
    start = time.monotonic()
    audio = bytearray()
    rate = 0
    with opened(options) as output, connected(options) as triton, seconds_bar() as bar:
        model = options.model or _first_model(triton)
        voice = _voice(triton.card(model), options.voice, model) if options.voice else None
        pieces = triton.speak(
            model,
            text,
            voice=voice.voice if voice else None,  # without one the model has its own default
            language=voice.language if voice else None,
            speed=options.speed,
            deadline=_DEADLINE,
        )
        with closing(pieces):
            for piece in pieces:
                rate = piece.sample_rate
                audio += piece.audio.tobytes()
                bar.update(piece.audio.size / rate)
        if not audio:
            raise LecternError(f"{model} answered without any audio")
        _write(output, bytes(audio), rate, in_wave=audio_format == "wav")
    elapsed = time.monotonic() - start
    seconds = len(audio) / _BYTES_PER_SAMPLE / rate
    facts = {
        "file": options.output,
        "format": audio_format,
        "model": model,
        "voice": options.voice,
        "sample_rate": rate,
        "audio_seconds": round(seconds, 3),
        "elapsed_seconds": round(elapsed, 3),
    }
    report(options, facts, f"{options.output}: {seconds:.1f} s of audio at {rate} Hz in {elapsed:.1f} s")


def voices(options: argparse.Namespace) -> list[Voice]:
    wanted = options.language.lower() if options.language else None
    with connected(options) as triton:
        models = [options.model] if options.model else _speaking_models(triton)
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
    """Ready means that every model that Triton has loaded speaks a word now."""
    with connected(options) as triton:
        version = triton.server_version()
        checks = [_proof(triton, model) for model in _speaking_models(triton)]
    if not checks:
        checks = [Check(name="models", ok=False, detail="none is loaded")]
    return Status(status="ready" if all(check.ok for check in checks) else "unready", version=version, checks=checks)


def connected(options: argparse.Namespace) -> "Triton":
    try:
        from lectern.triton import Triton  # noqa: PLC0415 - an extra, which not every user has
    except ImportError as error:
        raise UsageError(str(error)) from error
    try:
        return Triton(options.triton)
    except ValueError as error:
        raise UsageError(f"--triton: {error}") from error


def _speaking_models(triton: "Triton") -> list[str]:
    return sorted(model.name for model in triton.models() if model.speaks)


def _first_model(triton: "Triton") -> str:
    models = _speaking_models(triton)
    if not models:
        raise LecternError(f"Triton at {triton.address} has no speech model loaded")
    return models[0]


def _voice(card: "Card", name: str, model: str) -> "CardVoice":
    for voice in card.voices:
        if voice.name == name:
            return voice
    raise UsageError(f"{model} has no voice {name!r}: see `lectern voices --triton`")


def _proof(triton: "Triton", model: str) -> Check:
    try:
        proof = triton.prove(model)
    except LecternError as error:
        return Check(name=f"model {model}", ok=False, detail=str(error))
    return Check(name=f"model {model}", ok=True, detail=f"spoke in {proof.seconds * 1000:.0f} ms")


def _write(output: BinaryIO, audio: bytes, rate: int, *, in_wave: bool) -> None:
    if not in_wave:
        output.write(audio)
        return
    file = io.BytesIO()  # the header holds the length, and stdout cannot be rewound to fill it in
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(_BYTES_PER_SAMPLE)
        writer.setframerate(rate)
        writer.writeframes(audio)
    output.write(file.getvalue())

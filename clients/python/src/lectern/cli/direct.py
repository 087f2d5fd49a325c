"""The commands' way past the server, straight to Triton."""

import argparse
import os
from typing import TYPE_CHECKING, Final

from lectern.cli.exits import UsageError
from lectern.errors import LecternError
from lectern.types import Check, Status, Voice

if TYPE_CHECKING:
    from lectern.triton import Triton


CARRIED_FROM: Final = "TRITON_SECRET"  # a command line would show it to everybody on the machine


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
        checks = [_probe(triton, model) for model in _speaking_models(triton)]
    if not checks:
        checks = [Check(name="models", ok=False, detail="none is loaded")]
    return Status(status="ready" if all(check.ok for check in checks) else "unready", version=version, checks=checks)


def connected(options: argparse.Namespace) -> "Triton":
    try:
        from lectern.triton import Triton  # noqa: PLC0415 - an extra, which not every user has
    except ImportError as error:
        raise UsageError(str(error)) from error
    try:
        return Triton(options.triton, secret=os.environ.get(CARRIED_FROM))
    except ValueError as error:
        raise UsageError(f"--triton: {error}") from error


def _speaking_models(triton: "Triton") -> list[str]:
    return sorted(model.name for model in triton.models() if model.speaks)


def first_model(triton: "Triton") -> str:
    models = _speaking_models(triton)
    if not models:
        raise LecternError(f"Triton at {triton.address} has no speech model loaded")
    return models[0]


def _probe(triton: "Triton", model: str) -> Check:
    try:
        probe = triton.probe(model)
    except LecternError as error:
        return Check(name=f"model {model}", ok=False, detail=str(error))
    return Check(name=f"model {model}", ok=True, detail=f"spoke in {probe.seconds * 1000:.0f} ms")

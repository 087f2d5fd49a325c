"""The voices that can speak now: what the loaded models say of themselves, kept for a while."""

import asyncio
import time
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

import msgspec
import structlog

from lectern.triton import AsyncTriton, TritonError
from orchestrator.lib.errors import BadRequest, FieldError, Unavailable

_FRESH_SECONDS: Final = 30.0
_REFRESH_SECONDS: Final = 4.0
_FIRST_SECONDS: Final = 0.25  # until the first model is there, somebody is waiting for the server to become ready
_SHORTEST_REFRESH: Final = 2.0  # so that guessing at voice names does not become load on the models

log = structlog.stdlib.get_logger("lectern.voices")


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    model: str
    model_version: str
    language: str
    gender: str | None
    description: str
    parameters: Mapping[str, Any]  # the model's own, opaque to everyone else


class Catalog:
    def __init__(self, triton: AsyncTriton) -> None:
        self._triton = triton
        self._voices: dict[str, dict[str, Voice]] = {}  # model -> name -> voice
        self._seen: set[str] = set()  # models that could speak at some time
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def keep_fresh(self) -> None:
        """Runs for as long as the process serves, so that requests need not wait for what has changed."""
        while True:
            try:
                await self._refresh(_SHORTEST_REFRESH)
            except Exception:  # this task must outlive whatever one reading brings
                log.exception("voices cannot be read from Triton")
            await asyncio.sleep(_REFRESH_SECONDS if self._voices else _FIRST_SECONDS)

    async def models(self) -> list[str]:
        await self._refresh(_FRESH_SECONDS)
        return list(self._voices)

    async def voices(self, *, model: str | None = None, language: str | None = None) -> list[Voice]:
        """Those of a language include its regions: ``en`` also finds ``en-GB``."""
        await self._refresh(_FRESH_SECONDS)
        wanted = language.lower() if language else None
        return [
            voice
            for of_model, voices in self._voices.items()
            if model in (None, of_model)
            for voice in voices.values()
            if wanted is None or voice.language.lower() == wanted or voice.language.lower().startswith(f"{wanted}-")
        ]

    async def find(self, *, model: str, voice: str) -> Voice:
        """Raises `BadRequest` that names what is near, or `Unavailable` while no model answers."""
        await self._refresh(_FRESH_SECONDS)
        if voice not in self._voices.get(model, {}):
            await self._refresh(_SHORTEST_REFRESH)  # it may be new
        if not self._voices:
            raise Unavailable("No speech model is ready at the moment. Try again a little later.")
        if model not in self._voices and model in self._seen:
            raise Unavailable(
                f"The model '{model}' is not loaded at the moment. Try again a little later.", retry_after=5
            )
        if model not in self._voices:
            raise _unknown("model", model, self._voices)
        if voice not in self._voices[model]:
            raise _unknown("voice", voice, self._voices[model])
        return self._voices[model][voice]

    async def _refresh(self, oldest: float) -> None:
        if time.monotonic() - self._read_at < oldest:
            return
        async with self._reading:
            if time.monotonic() - self._read_at < oldest:
                return
            try:
                self._voices = await self._read()
                self._seen |= self._voices.keys()
                self._read_at = time.monotonic() if self._voices else float("-inf")
            except TritonError as error:
                # What was known a moment ago is a better answer than none while a model restarts.
                log.warning("voices cannot be read from Triton", error=str(error))

    async def _read(self) -> dict[str, dict[str, Voice]]:
        voices: dict[str, dict[str, Voice]] = {}
        for model in await self._triton.models():
            if not model.speaks:
                continue
            try:
                card = await self._triton.card(model.name)
            except TritonError as error:
                log.warning("a model's voices cannot be read", model=model.name, error=str(error))
                voices[model.name] = self._voices.get(model.name, {})
                continue
            voices[model.name] = {
                one.name: Voice(
                    name=one.name,
                    model=model.name,
                    model_version=model.version,
                    language=one.language,
                    gender=one.gender,
                    description=one.description,
                    parameters=one.voice,
                )
                for one in card.voices
            }
        return voices


def _unknown(field: str, name: str, known: Mapping[str, Any]) -> BadRequest:
    near = get_close_matches(name, known, n=3) or sorted(known)[:3]
    message = f"unknown {field} '{name}'"
    return BadRequest(
        f"There is no {field} '{name}'. Try {' or '.join(near)}; GET /api/v1/voices lists all.",
        errors=[FieldError(field, message)],
    )

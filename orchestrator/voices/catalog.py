"""The catalog of the voices that can speak now, read from the cards of the loaded models and cached for a while."""

import asyncio
import time
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final

import msgspec
import structlog

from lectern.triton import AsyncTriton, CardVoice, TritonError
from lectern_contract.voice_mixes import NoMix, is_mix, parse
from orchestrator.guard.reports import Reports
from orchestrator.lib.errors.problems import BadRequest, FieldError, Unavailable
from orchestrator.lib.periodic import run_periodically
from orchestrator.voices.voice import ModelVoices, Voice

_FRESH_SECONDS: Final = 30.0
_REFRESH_SECONDS: Final = 4.0
_FIRST_SECONDS: Final = 0.25  # before the first model is ready, as somebody is waiting for the server
_SHORTEST_REFRESH: Final = 2.0  # so that requests for unknown voices put no load on the models

_DEFAULT_SLOTS: Final = 8  # for a model whose card does not say how many it has
_BEST_FIRST: Final = ("kokoro", "espeak")
_FEATURES: Final = ("lexicon", "normalization", "pauses", "markup", "seed", "instructions")

log = structlog.stdlib.get_logger("lectern.voices")


class Catalog:
    def __init__(self, triton: AsyncTriton, reports: Reports) -> None:
        """``reports``: of the models, by which it knows those that have come, and those that are back soon."""
        self._triton = triton
        self._reports = reports
        self._models: dict[str, ModelVoices] = {}  # by name
        self._seen: set[str] = set()  # every model that was ready at some time
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def keep_fresh(self) -> None:
        """Refreshes the catalog for ever, so that requests do not wait for a refresh."""
        await run_periodically(
            self._refresh_when_due, pause=_FIRST_SECONDS, complaint="voices cannot be read from Triton", log=log
        )

    async def _refresh_when_due(self) -> None:
        if self._models:
            await self._reports.wait(self._lacks_one, _REFRESH_SECONDS)
        await self._refresh(_FIRST_SECONDS if self._lacks_one() else _SHORTEST_REFRESH)

    def knows(self, model: str) -> bool:
        """Returns whether the voices of a model were read."""
        return model in self._models

    async def models(self) -> dict[str, str]:
        """Returns the version of each model, which changes whenever the same request would sound different."""
        await self._refresh(_FRESH_SECONDS)
        return {name: model.model_version for name, model in self._models.items()}

    async def voices(self, *, model: str | None = None, language: str | None = None) -> list[Voice]:
        """Returns the voices, of one model or language if given. ``en`` includes ``en-GB``."""
        await self._refresh(_FRESH_SECONDS)
        return [
            voice
            for name, found in self._models.items()
            if model in (None, name)
            for voice in found.voices.values()
            if speaks(voice.language, language)
        ]

    async def find(self, *, model: str | None, voice: str | None, default_model: str = "") -> Voice:
        """Returns a voice by name, without a name the model's default voice.

        Without a model, the default model is searched first, then the others.

        Raises `BadRequest` with similar names, or `Unavailable` while no model answers.
        """
        await self._refresh(_FRESH_SECONDS)
        if self._find(model, voice, default_model) is None:
            await self._refresh(_SHORTEST_REFRESH)  # it may be new
        known = self._ready(model or (self._preferred(default_model) if self._models else ""))
        found = self._find(model, voice, default_model)
        if found is None:
            raise _unknown("voice", voice or "", known.voices)
        return found

    async def model(self, name: str) -> ModelVoices:
        """Raises `BadRequest` or `Unavailable`."""
        await self._refresh(_FRESH_SECONDS if name in self._models else _SHORTEST_REFRESH)
        return self._ready(name)

    async def find_model(self, can: Callable[[ModelVoices], bool], default_model: str) -> str | None:
        """Returns the default model if ``can`` holds for it, else another model that it holds for, else None."""
        await self._refresh(_FRESH_SECONDS)
        if not self._models:
            return None
        first = self._preferred(default_model)
        return next(
            (name for name in [first, *sorted(self._models)] if can(self._models.get(name, ModelVoices()))), None
        )

    async def with_names(self, *names: str) -> list[Voice]:
        """Returns the voices of all models that have one of the names."""
        await self._refresh(_FRESH_SECONDS)
        return [model.voices[name] for model in self._models.values() for name in names if name in model.voices]

    async def openai_counterpart(self, name: str, model: str = "") -> str | None:
        """Returns the model's voice of the same name, with or without a prefix (af_nova for nova), or None.

        Without a model, the default one is searched.
        """
        await self._refresh(_FRESH_SECONDS)
        if not self._models:
            return None
        voices = self._models.get(self._preferred(model), ModelVoices()).voices
        if name in voices:
            return name
        return next((voice for voice in voices if voice.casefold().endswith(f"_{name}")), None)

    async def has(self, model: str, voice: str) -> bool:
        await self._refresh(_FRESH_SECONDS)
        return self._find(model, voice, "") is not None

    def slots(self, model: str) -> int:
        """Returns how many segments the model can make at a time, as its card says."""
        return self._models.get(model, ModelVoices()).slots or _DEFAULT_SLOTS

    def _lacks_one(self) -> bool:
        """Returns whether a model speaks whose voices were not read."""
        speaking = {model for model, report in self._reports.all().items() if report.state == "speaks"}
        return not speaking <= self._models.keys()

    def _ready(self, model: str) -> ModelVoices:
        if not self._models:
            raise Unavailable("No speech model is ready at the moment. Try again a little later.")
        if model not in self._models and model in self._seen:
            raise Unavailable(
                f"The model '{model}' is not loaded at the moment. Try again a little later.", retry_after=5
            )
        if model not in self._models:
            raise _unknown("model", model, self._models)
        return self._models[model]

    def _preferred(self, default: str) -> str:
        """Returns the default model, else the best that was ever ready: a short absence must not change the voice."""
        if default:
            return default
        known = [model for model in _BEST_FIRST if model in self._seen]
        return next(iter([*known, *self._models]))

    def _find(self, model: str | None, voice: str | None, default_model: str) -> Voice | None:
        if not self._models:
            return None
        first = model or self._preferred(default_model)
        models = [first] if model is not None or voice is None else [first, *self._models]
        for matches in (_exact_match, _match_ignoring_case):
            for name in models:
                known = self._models.get(name)
                if known is None:
                    continue
                wanted = voice or known.default_voice or next(iter(known.voices), "")
                match = matches(wanted, known)
                if match is not None:
                    return known.voices[match]
                if known.mixes and is_mix(wanted):
                    return _mix(wanted, known)
        return None

    async def _refresh(self, oldest: float) -> None:
        if time.monotonic() - self._read_at < oldest:
            return
        async with self._reading:
            if time.monotonic() - self._read_at < oldest:
                return
            try:
                self._models = await self._read()
                self._seen |= self._models.keys()
                self._read_at = time.monotonic() if self._models else float("-inf")
            except TritonError as error:
                # While a model restarts, the catalog of a moment ago is a better answer than none.
                log.warning("voices cannot be read from Triton", error=str(error))

    async def _read(self) -> dict[str, ModelVoices]:
        # Who asks for a model that is being loaded again waits in the synthesizer, or is told there how long it takes.
        found = {model: known for model, known in self._models.items() if self._reports.back_in(model) is not None}
        for model in await self._triton.models():
            if not model.speaks:
                continue
            try:
                card = await self._triton.card(model.name)
            except TritonError as error:
                log.warning("a model's voices cannot be read", model=model.name, error=str(error))
                found[model.name] = self._models.get(model.name, ModelVoices())
                continue
            # New weights in the same folder sound different, so they count as another version.
            version = f"{model.version}-{card.version}" if card.version else model.version
            features = frozenset(feature for feature in _FEATURES if getattr(card, feature))
            voices = {one.name: _voice(one, model.name, version, features, card.speeds) for one in card.voices}
            found[model.name] = ModelVoices(
                voices, card.default_voice, card.mixes, card.places, card.references, version, features, card.speeds
            )
        return found


def speaks(language: str, wanted: str | None) -> bool:
    """Whether ``language`` is the wanted one or one of its regions. Without a wanted one, it always is."""
    if wanted is None:
        return True
    have, want = language.lower(), wanted.lower()
    return have == want or have.startswith(f"{want}-")


def _voice(one: CardVoice, model: str, version: str, features: frozenset[str], speeds: tuple[float, float]) -> Voice:
    return Voice(
        name=one.name,
        model=model,
        model_version=version,
        language=one.language,
        gender=one.gender,
        grade=one.grade,
        description=one.description,
        parameters=one.voice,
        features=features,
        speeds=speeds,
    )


def _exact_match(name: str, model: ModelVoices) -> str | None:
    return name if name in model.voices else None


def _match_ignoring_case(name: str, model: ModelVoices) -> str | None:
    """Returns the voice of this name, else the only one whose name differs in case alone."""
    if name in model.voices:
        return name
    alike = [voice for voice in model.voices if voice.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


def _mix(name: str, model: ModelVoices) -> Voice:
    """Returns the mix that a name spells. Its language is that of the voice with the largest share.

    Raises `BadRequest`.
    """
    try:
        shares = parse(name)
    except NoMix as error:
        raise BadRequest(f"The voice cannot be mixed: {error}.", errors=[FieldError("voice", str(error))]) from None
    known: dict[str, float] = {}
    for mixed, share in shares.items():
        voice = _match_ignoring_case(mixed, model)
        if voice is None:
            raise _unknown("voice", mixed, model.voices)
        known[voice] = known.get(voice, 0.0) + share
    shares = dict(sorted(known.items()))
    leading = model.voices[max(shares, key=shares.__getitem__)]
    if len(shares) == 1:
        return leading
    described = ", ".join(f"{share:.0%} {voice}" for voice, share in shares.items())
    return msgspec.structs.replace(
        leading, name=name, gender=None, grade=None, description=f"A mix: {described}", parameters={"mix": shares}
    )


def _unknown(field: str, name: str, known: Mapping[str, Any]) -> BadRequest:
    near = get_close_matches(name, known, n=3) or sorted(known)[:3]
    message = f"unknown {field} '{name}'"
    return BadRequest(
        f"There is no {field} '{name}'. Try {' or '.join(near)}; GET /api/v1/voices lists all.",
        errors=[FieldError(field, message)],
    )

"""The voices that can speak now: what the loaded models say of themselves, kept for a while."""

import asyncio
import time
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final

import msgspec
import structlog

from lectern.triton import AsyncTriton, CardVoice, TritonError
from orchestrator.lib.errors.problems import BadRequest, FieldError, Unavailable
from orchestrator.voices.mixes import NoMix, is_mix, parse
from orchestrator.voices.prompt import Prompt

_FRESH_SECONDS: Final = 30.0
_REFRESH_SECONDS: Final = 4.0
_FIRST_SECONDS: Final = 0.25  # until the first model is there, somebody is waiting for the server to become ready
_SHORTEST_REFRESH: Final = 2.0  # so that guessing at voice names does not become load on the models

_SLOTS: Final = 8  # of a model that does not say how many it has
_BEST_FIRST: Final = ("kokoro", "espeak")
_FEATURES: Final = ("lexicon", "normalization", "markup", "seed", "instructions")

log = structlog.stdlib.get_logger("lectern.voices")


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    model: str
    model_version: str
    language: str
    gender: str | None
    grade: str | None = None
    description: str
    parameters: Mapping[str, Any]  # the model's own, opaque to everyone else
    features: frozenset[str] = frozenset()  # what the model takes beyond text and speed, of `_FEATURES`
    prompt: Prompt | None = None  # which the model is to speak like


class Offer(msgspec.Struct, frozen=True):
    """What one model offers; nothing as long as its card could not be read."""

    voices: Mapping[str, Voice] = {}
    default_voice: str = ""
    mixes: bool = False
    slots: int | None = None
    references: bool = False
    model_version: str = ""
    features: frozenset[str] = frozenset()


class Catalog:
    def __init__(self, triton: AsyncTriton) -> None:
        self._triton = triton
        self._offers: dict[str, Offer] = {}  # by model
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
            await asyncio.sleep(_REFRESH_SECONDS if self._offers else _FIRST_SECONDS)

    async def models(self) -> list[str]:
        await self._refresh(_FRESH_SECONDS)
        return list(self._offers)

    async def voices(self, *, model: str | None = None, language: str | None = None) -> list[Voice]:
        """Those of a language include its regions: ``en`` also finds ``en-GB``."""
        await self._refresh(_FRESH_SECONDS)
        return [
            voice
            for of_model, offer in self._offers.items()
            if model in (None, of_model)
            for voice in offer.voices.values()
            if speaks(voice.language, language)
        ]

    async def find(self, *, model: str | None, voice: str | None, default_model: str = "") -> Voice:
        """Without a model, the default one speaks, or another that has the voice; without a voice, the model's own.

        Raises `BadRequest` that names what is near, or `Unavailable` while no model answers.
        """
        await self._refresh(_FRESH_SECONDS)
        if self._find(model, voice, default_model) is None:
            await self._refresh(_SHORTEST_REFRESH)  # it may be new
        offer = self._offered(model or (self._preferred(default_model) if self._offers else ""))
        found = self._find(model, voice, default_model)
        if found is None:
            raise _unknown("voice", voice or "", offer.voices)
        return found

    async def offer(self, model: str) -> Offer:
        """Raises `BadRequest` or `Unavailable`."""
        await self._refresh(_FRESH_SECONDS if model in self._offers else _SHORTEST_REFRESH)
        return self._offered(model)

    async def model_that(self, takes: Callable[[Offer], bool], default_model: str) -> str | None:
        """The default model, if it is one that does so; else another one."""
        await self._refresh(_FRESH_SECONDS)
        if not self._offers:
            return None
        first = self._preferred(default_model)
        return next((name for name in [first, *sorted(self._offers)] if takes(self._offers.get(name, Offer()))), None)

    async def namesakes(self, *names: str) -> list[Voice]:
        """The voices of all models that are called so."""
        await self._refresh(_FRESH_SECONDS)
        return [offer.voices[name] for offer in self._offers.values() for name in names if name in offer.voices]

    async def namesake(self, name: str, model: str = "") -> str | None:
        """Return a voice of the model that is called so, or so after its prefix (af_nova for nova), if it has one.

        Without a model, of the default one.
        """
        await self._refresh(_FRESH_SECONDS)
        if not self._offers:
            return None
        voices = self._offers.get(self._preferred(model), Offer()).voices
        if name in voices:
            return name
        return next((voice for voice in voices if voice.casefold().endswith(f"_{name}")), None)

    async def has(self, model: str, voice: str) -> bool:
        await self._refresh(_FRESH_SECONDS)
        return self._find(model, voice, "") is not None

    def slots(self, model: str) -> int:
        """How many segments the model says that it can make at a time."""
        return self._offers.get(model, Offer()).slots or _SLOTS

    def _offered(self, model: str) -> Offer:
        if not self._offers:
            raise Unavailable("No speech model is ready at the moment. Try again a little later.")
        if model not in self._offers and model in self._seen:
            raise Unavailable(
                f"The model '{model}' is not loaded at the moment. Try again a little later.", retry_after=5
            )
        if model not in self._offers:
            raise _unknown("model", model, self._offers)
        return self._offers[model]

    def _preferred(self, default: str) -> str:
        """Return the best model of those that could speak at some time, so that a short absence changes no voice."""
        if default:
            return default
        known = [model for model in _BEST_FIRST if model in self._seen]
        return next(iter([*known, *self._offers]))

    def _find(self, model: str | None, voice: str | None, default_model: str) -> Voice | None:
        if not self._offers:
            return None
        first = model or self._preferred(default_model)
        models = [first] if model is not None or voice is None else [first, *self._offers]
        for called in (_exactly, _called):
            for name in models:
                offer = self._offers.get(name)
                if offer is None:
                    continue
                wanted = voice or offer.default_voice or next(iter(offer.voices), "")
                known = called(wanted, offer)
                if known is not None:
                    return offer.voices[known]
                if offer.mixes and is_mix(wanted):
                    return _mixed(wanted, offer)
        return None

    async def _refresh(self, oldest: float) -> None:
        if time.monotonic() - self._read_at < oldest:
            return
        async with self._reading:
            if time.monotonic() - self._read_at < oldest:
                return
            try:
                self._offers = await self._read()
                self._seen |= self._offers.keys()
                self._read_at = time.monotonic() if self._offers else float("-inf")
            except TritonError as error:
                # What was known a moment ago is a better answer than none while a model restarts.
                log.warning("voices cannot be read from Triton", error=str(error))

    async def _read(self) -> dict[str, Offer]:
        offers: dict[str, Offer] = {}
        for model in await self._triton.models():
            if not model.speaks:
                continue
            try:
                card = await self._triton.card(model.name)
            except TritonError as error:
                log.warning("a model's voices cannot be read", model=model.name, error=str(error))
                offers[model.name] = self._offers.get(model.name, Offer())
                continue
            # New weights in the same folder sound different, and so must be another version.
            version = f"{model.version}-{card.version}" if card.version else model.version
            features = frozenset(feature for feature in _FEATURES if getattr(card, feature))
            voices = {one.name: _voice(one, model.name, version, features) for one in card.voices}
            offers[model.name] = Offer(
                voices, card.default_voice, card.mixes, card.places, card.references, version, features
            )
        return offers


def speaks(language: str, wanted: str | None) -> bool:
    """Whether it is the language that is wanted, if one is, or one of its regions."""
    if wanted is None:
        return True
    have, want = language.lower(), wanted.lower()
    return have == want or have.startswith(f"{want}-")


def _voice(one: CardVoice, model: str, version: str, features: frozenset[str]) -> Voice:
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
    )


def _exactly(name: str, offer: Offer) -> str | None:
    return name if name in offer.voices else None


def _called(name: str, offer: Offer) -> str | None:
    """The voice that is called so, or but for capital letters so, where that is one only."""
    if name in offer.voices:
        return name
    alike = [voice for voice in offer.voices if voice.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


def _mixed(name: str, offer: Offer) -> Voice:
    """Return the mix of a name. Its language is that of its largest part. Raises `BadRequest`."""
    try:
        shares = parse(name)
    except NoMix as error:
        raise BadRequest(f"The voice cannot be mixed: {error}.", errors=[FieldError("voice", str(error))]) from None
    known: dict[str, float] = {}
    for part, share in shares.items():
        voice = _called(part, offer)
        if voice is None:
            raise _unknown("voice", part, offer.voices)
        known[voice] = known.get(voice, 0.0) + share
    shares = dict(sorted(known.items()))
    leading = offer.voices[max(shares, key=shares.__getitem__)]
    if len(shares) == 1:
        return leading
    described = ", ".join(f"{share:.0%} {part}" for part, share in shares.items())
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

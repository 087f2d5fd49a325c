"""The types of the direct client: options, chunks, model cards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypedDict

import msgspec
import numpy as np
import numpy.typing as npt

from lectern.triton.errors import InvalidRequest
from lectern.types import Word
from lectern.voicing import Mix, Voicing, voice_name
from lectern_contract import Lane
from lectern_contract.voice_mixes import NoMix, is_mix, parse

READY: Final = "READY"  # the state of a model in Triton's repository index

Samples = npt.NDArray[np.int16]
Speeds = tuple[float, float]  # the slowest and the fastest


class Mark(NamedTuple):
    """The place of a word: samples from the start of the segment, characters of the text that was sent."""

    first_sample: int
    last_sample: int
    text_start: int
    text_end: int


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """The next samples of a segment, and the words whose times became known with them."""

    audio: Samples  # shape (samples,), mono; may be empty; read-only
    sample_rate: int  # Hz
    marks: list[Mark]

    def timed(self, text: str) -> "TimedChunk":
        """Returns the chunk with its words in seconds. `text` is the text that was sent."""
        words = [
            Word(
                word=text[mark.text_start : mark.text_end],
                start=round(mark.first_sample / self.sample_rate, 4),
                end=round(mark.last_sample / self.sample_rate, 4),
                text_start=mark.text_start,
                text_end=mark.text_end,
            )
            for mark in self.marks
        ]
        return TimedChunk(self.audio, self.sample_rate, words)


@dataclass(frozen=True, slots=True, eq=False)
class TimedChunk:
    """The next samples of a text, and the words whose times became known with them, in seconds."""

    audio: Samples  # as in Chunk
    sample_rate: int  # Hz
    words: list[Word]


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A recording and its transcript, if known: a prompt to speak like, or the speech that a segment follows."""

    audio: Samples  # shape (samples,), mono
    sample_rate: int  # Hz
    text: str | None = None


class SpeakOptions(TypedDict, total=False):
    """The arguments of `speak` besides the model and the text."""

    voice: Mapping[str, Any] | None  # the model's own parameters, as in its card
    language: str | None  # BCP-47
    speed: float | None
    speeds: Speeds | None  # the model's own, as in its card; None: it is asked
    lexicon: Mapping[str, str] | None
    reference: Reference | None
    previous: Reference | None  # for models whose card has `previous`
    markup: bool  # whether the text has markup; for models whose card has `markup`
    lane: Lane
    deadline: float | None  # seconds from now


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One version of a model as Triton's repository index lists it.

    A model whose process was killed still reads as ready; only `probe` shows that it speaks.
    """

    name: str
    version: str  # empty for a model that was never loaded
    state: str  # "READY", "LOADING", "UNLOADING", "UNAVAILABLE", or empty for a model that was never loaded
    reason: str  # why it is not ready, in Triton's words
    speaks: bool  # is ready and has the tensors of the speech contract; false for a stage inside another model

    @property
    def ready(self) -> bool:
        return self.state == READY


@dataclass(frozen=True, slots=True)
class Probe:
    """A short real synthesis that succeeded."""

    seconds: float  # from the request to the last chunk
    first_chunk_seconds: float  # from the request to the first audio
    samples: int
    sample_rate: int  # Hz


class CardVoice(msgspec.Struct, frozen=True):
    """A voice that a model offers. `voice` is what `speak` takes to use it."""

    name: str
    language: str  # BCP-47
    voice: Mapping[str, Any]
    gender: Literal["male", "female"] | None = None
    grade: str | None = None  # how good its makers find it, A to F
    description: str = ""


class Card(msgspec.Struct, frozen=True):
    """A model's card: its voices, and what it can do."""

    sample_rate: int  # Hz
    voices: list[CardVoice]
    speeds: Speeds = (1.0, 1.0)  # its own: what is beyond them is made by stretching its audio
    lexicon: bool = False  # takes pronunciations
    references: bool = False  # takes a voice prompt
    previous: bool = False  # goes on from what was spoken before
    mixes: bool = False  # takes a mix of its voices
    normalization: bool = False  # its voices take a normalization
    pauses: bool = False  # its voices take the pauses inside a text
    seed: bool = False  # its voices take a seed
    instructions: bool = False  # its voices take instructions
    markup: bool = False  # reads [word](/IPA/) and [pause:1s] in a text, if `speak` says so
    places: int | None = None  # segments that it can make at a time, each at least in real time
    default_voice: str = ""  # speaks when no voice is named
    version: str = ""  # of the weights: it changes when the same request would sound different

    def voice(self, name: str | Mix) -> CardVoice:
        """Returns the voice of that name, or the mix. Raises InvalidRequest if the model has none."""
        wanted = voice_name(name) or ""
        known = {voice.name: voice for voice in self.voices}
        if wanted in known:
            return known[wanted]
        if not (self.mixes and is_mix(wanted)):
            raise InvalidRequest(f"there is no voice {wanted!r}")
        try:
            shares = parse(wanted)
        except NoMix as error:
            raise InvalidRequest(f"the voice cannot be mixed: {error}") from error
        if missing := [part for part in shares if part not in known]:
            raise InvalidRequest(f"there is no voice {missing[0]!r} to mix")
        leading = known[max(shares, key=shares.__getitem__)]
        return leading if len(shares) == 1 else CardVoice(wanted, leading.language, {"mix": shares})

    def options(self, voicing: Voicing) -> SpeakOptions:
        """Returns the arguments of `speak` for a voicing. Raises InvalidRequest for what the model cannot do.

        As on the server, instructions, pauses and a seed are left out for models that take none.
        """
        for feature in ("lexicon", "normalization", "markup"):
            if getattr(voicing, feature) and not getattr(self, feature):
                raise InvalidRequest(f"{feature} cannot be used with this model")
        voice = self.voice(voicing.voice) if voicing.voice else None  # else the model takes its own default
        asked = {name: getattr(voicing, name) for name in ("normalization", "pauses", "seed", "instructions")}
        used = {name: value for name, value in asked.items() if value not in (None, "", {}) and getattr(self, name)}
        return {
            "voice": {**(voice.voice if voice else {}), **used},
            "language": voicing.language or (voice.language if voice else None),
            "speed": voicing.speed,
            "speeds": self.speeds,
            "lexicon": voicing.lexicon,
            "markup": bool(voicing.markup),
            "lane": voicing.lane or "live",
        }

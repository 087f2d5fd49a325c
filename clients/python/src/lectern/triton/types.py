"""What goes into a direct request to a model, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

READY: Final = "READY"  # the state of a model in Triton's repository index

Samples = npt.NDArray[np.int16]


class Mark(NamedTuple):
    """Where a word lies: samples from the start of the segment, characters of the text that was sent."""

    first_sample: int
    last_sample: int
    text_start: int
    text_end: int


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """The next part of a segment's audio."""

    audio: Samples  # shape (samples,), mono; may be empty; read-only
    sample_rate: int  # Hz
    marks: list[Mark]


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A voice prompt: a recording for the model to speak like, and the words said in it if they are known."""

    audio: Samples  # shape (samples,), mono
    sample_rate: int  # Hz
    text: str | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One version of a model as Triton's repository index lists it.

    A model whose process was killed still reads as ready; only `prove` shows that it speaks.
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
class Proof:
    """A model spoke: how long that took and what came."""

    seconds: float  # from the request to the last piece
    first_piece_seconds: float  # from the request to the first audio
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
    """What a model says of itself."""

    sample_rate: int  # Hz
    voices: list[CardVoice]
    speed: bool = False  # takes a speed other than 1
    lexicon: bool = False  # takes pronunciations
    references: bool = False  # takes a voice prompt
    mixes: bool = False  # takes a mix of its voices
    markup: bool = False  # reads [word](/IPA/) and [pause:1s] in the text
    default_voice: str = ""  # the name of the voice that speaks when none is asked for
    version: str = ""  # of the weights: it changes when the same request would sound different

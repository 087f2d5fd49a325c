"""What a model folder's `1/voice.py` implements: a class `Voice`. The backend does everything else of the contract."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from lectern_contract import LANES, Lane

Samples = npt.NDArray[np.int16]
Mark = tuple[int, int, int, int]  # first sample, last sample (exclusive), text start, text end (exclusive)


class BadRequest(Exception):  # noqa: N818 - named as the caller sees it
    """The caller must change the request; the message says what to change. Answered as INVALID_ARG."""


class Unavailable(Exception):  # noqa: N818 - named as the caller sees it
    """The same request may succeed later. Answered as UNAVAILABLE."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Speech for a model to go by: a voice prompt, or what was spoken before."""

    audio: Samples
    rate: int
    text: str | None


@dataclass(frozen=True, slots=True)
class Segment:
    """One valid request to speak."""

    text: str
    voice: Mapping[str, Any]
    language: str | None = None
    speed: float = 1.0
    lexicon: Mapping[str, str] = field(default_factory=dict)
    reference: Reference | None = None
    previous: Reference | None = None
    markup: bool = False
    """Whether the markup that the card offers is to be read in the text; else all of it is words."""
    lane: Lane = LANES[0]


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next samples of a segment, and the marks of words whose end they settle; samples from the segment's start."""

    audio: Samples
    marks: tuple[Mark, ...] = ()


Tensors = Mapping[str, npt.NDArray[Any]]


class Models(Protocol):
    """The other models of the same server."""

    def call(self, model: str, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        """Ask one of them and wait for these outputs of its answer; from any thread, and from many at once.

        Raises BadRequest and Unavailable if it says so, and RuntimeError for any other failure.
        """


@dataclass(frozen=True, slots=True)
class Settings:
    """What a model is made from."""

    folder: Path
    """Where `voice.py` lies."""
    parameters: Mapping[str, str]
    """Those of config.pbtxt."""
    models: Models
    model: str = ""
    """The name that Triton knows it by."""


class Voice(Protocol):
    """A model that speaks. Its methods are called from several threads at once."""

    concurrency: int
    """How many segments it may be asked to speak at the same time."""

    def __init__(self, settings: Settings) -> None:
        """Load; raise anything to fail the model's load, with a message for the operator."""

    def card(self) -> Mapping[str, Any]:
        """Return the model's card, ready for JSON."""

    def speak(self, segment: Segment, stop: threading.Event) -> Iterator[Chunk]:
        """Speak in order. When `stop` is set, nobody listens any more: end early, in about 20 ms.

        Raises BadRequest before the first piece if the voice, language or text is not for this model, Unavailable if it
        cannot speak at the moment, and anything else for a failure.
        """

    def close(self) -> None:
        """Free everything, engines included; running `speak` calls may fail."""

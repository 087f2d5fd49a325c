"""The class `Voice` that a model folder's `1/voice.py` provides, and what it is given.

The backend does everything else of the speech contract.
"""

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
    """A recording that the model imitates or continues: a voice prompt, or the speech before this segment."""

    audio: Samples
    rate: int
    """Hz."""
    text: str | None
    """What is said in it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One validated request to speak."""

    text: str
    voice: Mapping[str, Any]
    language: str | None = None
    speed: float = 1.0
    lexicon: Mapping[str, str] = field(default_factory=dict)
    reference: Reference | None = None
    previous: Reference | None = None
    markup: bool = False
    """Whether the text contains markup, which the model's card must offer; otherwise the text is words alone."""
    lane: Lane = LANES[0]


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next samples of a segment, and the marks of the words that end in them, counted from the segment's start."""

    audio: Samples
    marks: tuple[Mark, ...] = ()


Tensors = Mapping[str, npt.NDArray[Any]]


class Models(Protocol):
    """The other models of the same Triton."""

    def call(self, model: str, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        """Calls a model and waits for these outputs. Many threads may call at once.

        Raises BadRequest and Unavailable if the model answers so, RuntimeError for any other failure.
        """


@dataclass(frozen=True, slots=True)
class Settings:
    """What a voice is created from."""

    folder: Path
    """The folder of the model's version, which contains `voice.py`."""
    parameters: Mapping[str, str]
    """The parameters in config.pbtxt."""
    models: Models
    model: str = ""
    """The model's name in Triton."""


class Voice(Protocol):
    """A model that speaks. Several threads call its methods at once."""

    concurrency: int
    """How many segments it can speak at the same time."""

    def __init__(self, settings: Settings) -> None:
        """Loads the model. Any exception fails the load, with its message for the operator."""

    def card(self) -> Mapping[str, Any]:
        """Returns the model's card, ready for JSON."""

    def speak(self, segment: Segment, stop: threading.Event) -> Iterator[Chunk]:
        """Yields the chunks of a segment in order. End within about 20 ms once `stop` is set: nobody listens any more.

        Raises BadRequest before the first chunk if the model does not support the voice, language or text, Unavailable
        if it cannot speak at the moment, and anything else for a failure.
        """

    def close(self) -> None:
        """Frees all resources, engines included; running `speak` calls may fail."""

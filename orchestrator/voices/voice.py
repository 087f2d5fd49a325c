"""A voice as requests use it, the prompt it may speak like, and what one model offers."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from lectern.triton import Reference
from orchestrator.audio.pcm import Samples, samples_to_bytes


class Prompt(msgspec.Struct, frozen=True, eq=False):
    """A recording that a model is to speak like, and its transcript. Sent with each request to the model.

    Digest and transcript identify it: the same recording with the same words is the same prompt.
    """

    digest: str
    samples: Samples
    rate: int  # Hz
    transcript: str

    @property
    def reference(self) -> Reference:
        return Reference(self.samples, self.rate, self.transcript)


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """A voice of a model, or a custom voice resolved to one."""

    name: str
    model: str
    model_version: str
    language: str
    gender: str | None
    grade: str | None = None
    description: str
    parameters: Mapping[str, Any]  # for the model alone, opaque to the orchestrator
    features: frozenset[str] = frozenset()  # the options that the model takes beyond text and speed
    prompt: Prompt | None = None  # what the model is to speak like
    speeds: tuple[float, float] = (1.0, 1.0)  # the slowest and the fastest of the model's own


class ModelVoices(msgspec.Struct, frozen=True):
    """The voices of one model and what it can do with them; empty while its card cannot be read."""

    voices: Mapping[str, Voice] = {}
    default_voice: str = ""
    mixes: bool = False
    slots: int | None = None
    references: bool = False
    model_version: str = ""
    features: frozenset[str] = frozenset()
    speeds: tuple[float, float] = (1.0, 1.0)


def digest_of(samples: Samples) -> str:
    """Returns the SHA-256 of the samples, in hex."""
    return hashlib.sha256(samples_to_bytes(samples)).hexdigest()

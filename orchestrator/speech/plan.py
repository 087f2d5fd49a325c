"""From what is to be said to the ordered segments that say it, each with the key its audio is kept under."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from lectern import contract
from orchestrator.voices.catalog import Voice


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """What one synthesis makes: 10 to 20 seconds of speech, at most `contract.MAX_TEXT` characters."""

    key: str
    text: str
    model: str
    voice: Mapping[str, Any]
    language: str
    speed: float


def plan(texts: Iterable[str], voice: Voice, speed: float) -> list[Segment]:
    return [
        Segment(
            key=_key(text, voice, speed),
            text=text,
            model=voice.model,
            voice=voice.parameters,
            language=voice.language,
            speed=speed,
        )
        for text in texts
    ]


def _key(text: str, voice: Voice, speed: float) -> str:
    """SHA-256, in hex, over everything that changes the samples and nothing that does not."""
    identity = (
        contract.VERSION,
        voice.model,
        voice.model_version,
        voice.parameters,
        voice.language,
        float(speed),
        text,
    )
    return hashlib.sha256(msgspec.json.encode(identity, order="sorted")).hexdigest()

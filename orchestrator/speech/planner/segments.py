"""From what is to be said to the ordered segments that say it, each with the key its audio is kept under."""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

import lectern_contract as contract
from lectern.triton import Reference
from orchestrator.speech.planner.voicing import Manner
from orchestrator.text.estimate import estimate_seconds
from orchestrator.text.spans import Span


class Words(NamedTuple):
    """What one segment says. ``spans`` lead from it back to the text that was sent; ``silence`` is in seconds."""

    text: str
    spans: Sequence[Span] = ()
    silence: float = 0.0


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """What one synthesis makes: 10 to 20 seconds of speech, at most `contract.MAX_TEXT` characters."""

    key: str
    text: str
    model: str
    voice: Mapping[str, Any]
    language: str
    speed: float
    lexicon: Mapping[str, str] = {}
    markup: bool = False
    reference: Reference | None = None  # what the voice is to sound like
    # Not in the key: the same words may stand anywhere.
    spans: Sequence[Span] = ()
    silence: float = 0.0  # seconds before it

    @property
    def estimated_seconds(self) -> float:
        """How long it will last, before any model has said it."""
        return estimate_seconds(self.text) / self.speed


def plan(said: Iterable[Words], manner: Manner) -> list[Segment]:
    segments = []
    for text, spans, silence in said:
        lexicon = _occurring(manner.lexicon, text)
        segments.append(
            Segment(
                key=_key(text, manner, lexicon),
                text=text,
                model=manner.voice.model,
                voice=manner.parameters,
                language=manner.language,
                speed=manner.speed,
                lexicon=lexicon,
                markup=manner.markup,
                reference=manner.voice.prompt.reference if manner.voice.prompt else None,
                spans=spans,
                silence=silence,
            )
        )
    return segments


def _occurring(lexicon: Mapping[str, str], text: str) -> Mapping[str, str]:
    """Only these are sent and are part of the key, so that a longer lexicon leaves other segments as they are."""
    folded = _folded(text)
    return {word: sound for word, sound in lexicon.items() if _folded(word) in folded}


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()  # composed, as models read both


def _key(text: str, manner: Manner, lexicon: Mapping[str, str]) -> str:
    """SHA-256, in hex, over everything that changes the samples and nothing that does not."""
    identity: tuple[Any, ...] = (
        contract.VERSION,
        manner.voice.model,
        manner.voice.model_version,
        manner.parameters,
        manner.language,
        float(manner.speed),
        lexicon,
        text,
    )
    if manner.markup:
        identity += ("markup",)
    if (prompt := manner.voice.prompt) is not None:
        identity += (prompt.digest, prompt.transcript)
    return hashlib.sha256(msgspec.json.encode(identity, order="sorted")).hexdigest()

"""Calls the model kokoro_g2p, which turns a text into phonemes, one sentence at a time."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
import numpy as np

from lectern_contract import Break
from lectern_triton.voice_backend.voice import Models, Segment

MODEL: Final = "kokoro_g2p"


class Word(msgspec.Struct, array_like=True, frozen=True):
    """The phonemes of a sentence and the characters of the text that belong together; the ends are exclusive."""

    first_phoneme: int
    last_phoneme: int
    text_start: int
    text_end: int


class Sentence(msgspec.Struct, frozen=True):
    phonemes: str
    ids: list[int]
    """One per phoneme, at most 510; empty if there is nothing to say."""
    words: list[Word]
    breaks: list[tuple[int, Break]]
    """The pauses inside it: in front of which phoneme, and what ends there."""
    end: Break | None
    """What ends with it; None if nothing follows, or if it is cut between two words."""
    pause: float | None
    """Seconds of silence that the text asks for after it; None if it asks for none."""
    next: int | None
    """Where in the text the next sentence begins; None after the last one."""


def read_sentences(
    models: Models, segment: Segment, language: str, normalization: Mapping[str, bool]
) -> Iterator[Sentence]:
    """Yields the sentences of a segment; calls the model for each when needed. Raises what `Models.call` does."""
    texts = {"text": segment.text, "language": language, "lexicon": json.dumps(dict(segment.lexicon))}
    inputs = {name: np.array([value.encode()], np.object_) for name, value in texts.items()}
    inputs["normalization"] = np.array([json.dumps(dict(normalization)).encode()], np.object_)
    inputs["markup"] = np.array([segment.markup])
    start: int | None = 0
    while start is not None:
        answer = models.call(MODEL, {**inputs, "start": np.array([start], np.int32)}, ["sentence"])
        sentence = msgspec.json.decode(answer["sentence"].reshape(-1)[0], type=Sentence)
        if sentence.next is not None and sentence.next <= start:
            raise RuntimeError(f"{MODEL} went back from character {start} to {sentence.next}")
        yield sentence
        start = sentence.next

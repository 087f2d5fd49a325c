"""What each language implements: a phonemizer, which turns text into tokens with phonemes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from g2p.aligned_text import AlignedText


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or punctuation between words."""

    start: int
    end: int
    """Characters of the aligned text."""
    phonemes: str
    space: str = ""
    """What is between this token and the next."""


class Phonemizer(Protocol):
    """Phonemizes one language. Not for several threads at once."""

    def phonemize(self, text: AlignedText) -> list[Token]:
        """Returns tokens in order, which together contain all words of the text."""


def phonemize_around(text: AlignedText, phonemize: Callable[[str], list[Token]]) -> list[Token]:
    """Phonemizes a text around its given pronunciations, for phonemizers that know nothing of them.

    `phonemize` gets each part between two pronunciations, and its tokens count from the start of that part.
    """
    tokens: list[Token] = []
    end = 0
    for run in (*text.pronunciations, None):
        plain = text.text[end : run.start if run else None]
        if plain.strip():
            tokens += [
                Token(end + token.start, end + token.end, token.phonemes, token.space) for token in phonemize(plain)
            ]
        if tokens and plain[-1:].isspace() and not tokens[-1].space:
            tokens[-1] = Token(tokens[-1].start, tokens[-1].end, tokens[-1].phonemes, " ")
        if run is not None:
            end = run.end
            space = " " if text.text[end : end + 1].isspace() else ""
            tokens.append(Token(run.start, end, run.phonemes, space))
    return tokens

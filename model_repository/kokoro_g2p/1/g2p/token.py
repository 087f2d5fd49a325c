"""What a language's reader makes of a sentence."""

from dataclasses import dataclass
from typing import Protocol

from g2p.aligned import AlignedText


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a sign between words."""

    start: int
    end: int
    """Characters of the aligned text."""
    phonemes: str
    space: str = ""
    """What stands between this and the next."""


class Reader(Protocol):
    """Reads one language. Not for several threads at once."""

    def read(self, text: AlignedText) -> list[Token]:
        """Return tokens, in order, of which together all words are part."""

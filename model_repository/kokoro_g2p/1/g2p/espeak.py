"""Phonemizes Spanish, French, Hindi, Italian and Brazilian Portuguese with eSpeak NG, as Kokoro was trained."""

import re
from typing import Final

from misaki.espeak import EspeakG2P

from g2p.aligned_text import AlignedText, project
from g2p.phonemizer import Token, phonemize_around

_WORD = re.compile(r"[^\W_]+(?:['’\-\u093c-\u094d\u0900-\u0903][^\W_]*)*|[^\w\s]+|_+")  # noqa: RUF001
_STOPS: Final = str.maketrans("।॥", "..")
# eSpeak NG 1.52 crashes at a hyphen between a sign that it calls by name and a word in another script than the Latin,
# as in ’-क: a blank avoids that.  # noqa: RUF003
_CRASHES = re.compile(r"(?<![A-Za-z0-9\s\u0900-\u097f])-(?=[^\x00-\u024f])")


class EspeakPhonemizer:
    """One eSpeak NG voice. It merges words, whose places are found by the phonemes of each word alone."""

    def __init__(self, name: str) -> None:
        self._g2p = EspeakG2P(name)

    def phonemize(self, text: AlignedText) -> list[Token]:
        return phonemize_around(text, self._phonemize_part)

    def _phonemize_part(self, text: str) -> list[Token]:
        words = [found.span() for found in _WORD.finditer(text)]
        if not words:
            return []
        whole = self.say(text)
        alone = [self.say(text[start:end]).replace(" ", "") for start, end in words]
        # Words are located without spaces, which are put back once the places are known.
        dense, places = _without_spaces(whole)
        ends = []
        total = 0
        for sound in alone:
            total += len(sound)
            ends.append(total)
        cuts = [0, *project(ends, "".join(alone), dense)]
        tokens = []
        for (start, end), first, last in zip(words, cuts[:-1], cuts[1:], strict=True):
            begin = places[first] if first < len(places) else len(whole)
            until = places[last] if last < len(places) else len(whole)
            sound = whole[begin:until]
            stripped = sound.rstrip(" ")
            tokens.append(Token(start, end, stripped, " " if stripped != sound else ""))
        return tokens

    def say(self, text: str) -> str:
        """Returns the phonemes of a text."""
        return str(self._g2p(_CRASHES.sub("- ", text).translate(_STOPS))[0])


def _without_spaces(text: str) -> tuple[str, list[int]]:
    places = [at for at, sign in enumerate(text) if sign != " "]
    return "".join(text[at] for at in places), places

"""Spanish, French, Hindi, Italian and Brazilian Portuguese: eSpeak NG, in the signs that Kokoro learnt of it."""

import re
from typing import Final

from misaki.espeak import EspeakG2P

from g2p.aligned import AlignedText, project
from g2p.fixed import read_around
from g2p.language import Language
from g2p.token import Token

NAMES: Final[dict[Language, str]] = {"es": "es", "fr": "fr-fr", "hi": "hi", "it": "it", "pt-BR": "pt-br"}

_WORD = re.compile(r"[^\W_]+(?:['’\-\u093c-\u094d\u0900-\u0903][^\W_]*)*|[^\w\s]+|_+")  # noqa: RUF001
_STOPS: Final = str.maketrans("।॥", "..")
# eSpeak NG 1.52 crashes at a hyphen between a sign that it calls by name and a word in another script than the Latin,
# as in ’-क: a blank avoids that.  # noqa: RUF003
_CRASHES = re.compile(r"(?<![A-Za-z0-9\s\u0900-\u097f])-(?=[^\x00-\u024f])")


class EspeakReader:
    """One eSpeak NG voice. It runs words together, so that their places are found by what each sounds like alone."""

    def __init__(self, name: str) -> None:
        self._g2p = EspeakG2P(name)

    def read(self, text: AlignedText) -> list[Token]:
        return read_around(text, self._plain)

    def _plain(self, text: str) -> list[Token]:
        words = [found.span() for found in _WORD.finditer(text)]
        if not words:
            return []
        whole = self.say(text)
        alone = [self.say(text[start:end]).replace(" ", "") for start, end in words]
        # Spaces count in the whole and in neither: they are put back once the places are known.
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
        return str(self._g2p(_CRASHES.sub("- ", text).translate(_STOPS))[0])


def _without_spaces(text: str) -> tuple[str, list[int]]:
    places = [at for at, sign in enumerate(text) if sign != " "]
    return "".join(text[at] for at in places), places

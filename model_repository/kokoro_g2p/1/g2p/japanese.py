"""Japanese: Open JTalk's words and readings, in misaki's signs. The pitch that misaki puts behind them is left out."""

import unicodedata
from typing import Any

import pyopenjtalk
from misaki.ja import JAG2P

from g2p.aligned import AlignedText, project
from g2p.fixed import read_around
from g2p.token import Token


class JapaneseReader:
    def __init__(self) -> None:
        self._g2p = JAG2P("pyopenjtalk")
        pyopenjtalk.run_frontend("準備")  # loads the dictionary

    def read(self, text: AlignedText) -> list[Token]:
        return read_around(text, self._plain)

    def _plain(self, text: str) -> list[Token]:
        words: list[Any] = self._g2p(text)[1]
        # Open JTalk writes numbers out and widens letters, so that its words are looked for in the text.
        surfaces = [unicodedata.normalize("NFKC", word.text) for word in words]
        ends = []
        total = 0
        for surface in surfaces:
            total += len(surface)
            ends.append(total)
        cuts = [0, *project(ends, "".join(surfaces), text)]
        tokens: list[Token] = []
        for word, first, last in zip(words, cuts[:-1], cuts[1:], strict=True):
            phonemes = word.phonemes or ""
            # Words that belong together are spoken as one; a space goes between the groups, as upstream puts it.
            if tokens and phonemes and word._.mora_size and not word._.chain_flag and not tokens[-1].space:
                tokens[-1] = Token(tokens[-1].start, tokens[-1].end, tokens[-1].phonemes, " ")
            tokens.append(Token(first, last, phonemes, word.whitespace))
        return tokens

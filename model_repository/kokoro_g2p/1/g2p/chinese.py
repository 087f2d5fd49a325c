"""Mandarin: jieba's words, pypinyin's readings, in the signs that Kokoro 1.0 learnt of misaki."""

import re
import sys
import types
import unicodedata

import rjieba

from g2p.aligned import AlignedText
from g2p.espeak import EspeakReader
from g2p.fixed import read_around
from g2p.token import Token

# misaki imports jieba, which is published as source only; only its own cutting into words is left out here.
sys.modules.setdefault("jieba", types.ModuleType("jieba"))

from misaki.zh import ZHG2P  # noqa: E402 - jieba's name must be known first

_RUNS = re.compile(r"[\u3400-\u9fff]+|[A-Za-zÀ-ɏ]+(?:['’\- ][A-Za-zÀ-ɏ]+)*|\s+|[^\s\w]+|\w+?")  # noqa: RUF001


class ChineseReader:
    def __init__(self) -> None:
        self._foreign = EspeakReader("en-us")

    def read(self, text: AlignedText) -> list[Token]:
        return read_around(text, self._plain)

    def _plain(self, text: str) -> list[Token]:
        tokens: list[Token] = []
        for found in _RUNS.finditer(text):
            run = found[0]
            if run.isspace():
                continue
            if re.match(r"[\u3400-\u9fff]", run):
                words = [
                    Token(found.start() + first, found.start() + last, _sound(word), " ")
                    for word, first, last in rjieba.tokenize(run)
                ]
                words[-1] = Token(words[-1].start, words[-1].end, words[-1].phonemes)
                tokens += words
            elif run[0].isalnum() or _is_vowel_sign(run[0]):
                tokens.append(Token(*found.span(), self._foreign.say(run), " "))
            else:
                signs = ZHG2P.map_punctuation(run)
                tokens.append(Token(*found.span(), signs, " " if signs else ""))
        return tokens


def _is_vowel_sign(sign: str) -> bool:
    """Tell whether a sign is said as part of a letter, as in Tamil, and does not only say how an emoji is drawn."""
    return unicodedata.category(sign) in ("Mc", "Mn") and not "\ufe00" <= sign <= "\ufe0f"


def _sound(word: str) -> str:
    try:
        return str(ZHG2P.word2ipa(word))
    except ValueError:  # a sign that pypinyin has no reading of
        return ""

"""Phonemizes Mandarin: jieba's words and pypinyin's readings, in misaki's symbols, as Kokoro 1.0 was trained."""

import re
import sys
import types
import unicodedata

import rjieba

from g2p.aligned_text import AlignedText
from g2p.espeak import EspeakPhonemizer
from g2p.phonemizer import Token, phonemize_around

# misaki imports jieba, which is published as source only; rjieba cuts the text into words in its place.
sys.modules.setdefault("jieba", types.ModuleType("jieba"))

from misaki.zh import ZHG2P  # noqa: E402 - jieba's name must be known first

_RUNS = re.compile(r"[\u3400-\u9fff]+|[A-Za-zÀ-ɏ]+(?:['’\- ][A-Za-zÀ-ɏ]+)*|\s+|[^\s\w]+|\w+?")  # noqa: RUF001


class ChinesePhonemizer:
    def __init__(self) -> None:
        self._foreign = EspeakPhonemizer("en-us")

    def phonemize(self, text: AlignedText) -> list[Token]:
        return phonemize_around(text, self._phonemize_part)

    def _phonemize_part(self, text: str) -> list[Token]:
        tokens: list[Token] = []
        for found in _RUNS.finditer(text):
            run = found[0]
            if run.isspace():
                continue
            if re.match(r"[\u3400-\u9fff]", run):
                words = [
                    Token(found.start() + first, found.start() + last, _phonemes(word), " ")
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
    """Tells a mark that is part of a letter, as in Tamil, from one that says how an emoji is drawn."""
    return unicodedata.category(sign) in ("Mc", "Mn") and not "\ufe00" <= sign <= "\ufe0f"


def _phonemes(word: str) -> str:
    try:
        return str(ZHG2P.word2ipa(word))
    except ValueError:  # a character that pypinyin has no reading of
        return ""

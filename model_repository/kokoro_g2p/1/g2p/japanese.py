"""Phonemizes Japanese: Open JTalk's words and readings, in misaki's symbols and spaces, as Kokoro 1.0 was trained."""

# ruff: noqa: RUF001, RUF002 - phonetic signs and kana look like others

import re
import unicodedata
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

import pyopenjtalk

from g2p.aligned_text import AlignedText, project
from g2p.kana import kana_to_phonemes
from g2p.phonemizer import Token, phonemize_around
from g2p.vocabulary import IDS

_PUNCTUATION: Final = str.maketrans({
    "。": ".", "、": ",", "~": "—", "〜": "—", "―": "—", "–": "—", "⋯": "…",
    **dict.fromkeys("「『«〈《", "“"), **dict.fromkeys("」』»〉》", "”"), **dict.fromkeys("[【〔{", "("),
    **dict.fromkeys("]】〕}", ")"),
})  # fmt: skip
"""Punctuation after NFKC, in Kokoro's vocabulary."""
_OPENING: Final = tuple("“(")
_CLOSING: Final = tuple("”).,?!:;")
_DEVOICED: Final = "’"
_INFLECTED: Final = ("動詞", "形容詞")
_LONG: Final = re.compile(r"(?<=[イキギシジチニビミリ])イ|(?<=[ウクグスツヌフブムユル])ウ")


class JapanesePhonemizer:
    def __init__(self) -> None:
        words = resources.files("misaki.data").joinpath("ja_words.txt").read_text(encoding="utf-8")
        self._words = frozenset(words.split())
        pyopenjtalk.run_frontend("準備")  # loads the dictionary

    def phonemize(self, text: AlignedText) -> list[Token]:
        return phonemize_around(text, self._phonemize_part)

    def _phonemize_part(self, text: str) -> list[Token]:
        parts: list[Any] = pyopenjtalk.run_frontend(text, iu_pronunciation="YuuBase")
        # Open JTalk writes out numbers and widens letters, so its words are located in the text.
        surfaces = [unicodedata.normalize("NFKC", part["string"]) for part in parts]
        ends = []
        total = 0
        for surface in surfaces:
            total += len(surface)
            ends.append(total)
        cuts = [0, *project(ends, "".join(surfaces), text)]
        tokens: list[Token] = []
        at = 0
        while at < len(parts):
            count = self._together(parts[at:], surfaces[at:])
            sounds = _phonemes(parts[at : at + count]) if _is_said(parts[at]) else [_punctuation(surfaces[at])]
            if any(sounds) or any(map(str.isalnum, surfaces[at])):
                if tokens and _is_apart(tokens[-1].phonemes, "".join(sounds)):
                    tokens[-1] = Token(tokens[-1].start, tokens[-1].end, tokens[-1].phonemes, " ")
                tokens += [Token(cuts[at + one], cuts[at + one + 1], sound) for one, sound in enumerate(sounds)]
            at += count
        return tokens

    def _together(self, parts: list[Mapping[str, Any]], surfaces: list[str]) -> int:
        """Returns how many parts form one word, spoken without a space: the longest word in misaki's list."""
        said = next((at for at, part in enumerate(parts) if not _is_said(part)), len(parts))
        return next((count for count in range(said, 1, -1) if "".join(surfaces[:count]) in self._words), 1)


def _is_said(part: Mapping[str, Any]) -> bool:
    return bool(part["mora_size"])


def _phonemes(parts: list[Any]) -> list[str]:
    """Returns the phonemes of each part of a word; they depend on the next kana, in the next part too."""
    kana = [_kana(part) for part in parts]
    signs = iter(kana_to_phonemes("".join(kana)))
    return ["".join(next(signs) for _ in part) for part in kana]


def _kana(part: Mapping[str, Any]) -> str:
    kana = str(part["pron"]).replace(_DEVOICED, "")
    # 新しい, 聞いて, 吸う: the dictionary that Kokoro learnt from has a long vowel there, Open JTalk's has two.
    return _LONG.sub("ー", kana) if part["pos"] in _INFLECTED else kana


def _punctuation(surface: str) -> str:
    """Returns punctuation in Kokoro's vocabulary; most of it is silent."""
    return "".join(sign for sign in surface.translate(_PUNCTUATION) if sign in IDS and not sign.isspace())


def _is_apart(before: str, following: str) -> bool:
    """Returns whether a space goes between two words, or a word and punctuation: not beside ʔ, which joins both."""
    last, first = before[-1:], following[:1]
    if first in _CLOSING or last in _OPENING:
        return False
    return last in _CLOSING or first in _OPENING or "ʔ" not in (last, first)

"""Compares what was heard with what was said, both in words as they sound: numbers, money and times written out."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import jiwer
from num2words import num2words

# Behind the rules for numbers: whichever way Whisper spells what sounds alike.
SPELLINGS: Final = {
    "dr": "doctor", "mr": "mister", "mrs": "missus", "st": "saint", "ok": "okay", "kg": "kilograms",
    "colour": "color", "harbour": "harbor", "grey": "gray", "favourite": "favorite", "neighbour": "neighbor",
}  # fmt: skip
SIGNS: Final = {"$": "dollars", "£": "pounds", "€": "euros"}
UNITS: Final = {"%": "percent", "kg": "kilograms", "km": "kilometers", "°c": "degrees celsius", "°": "degrees"}
_DIGIT_GROUPS: Final = re.compile(r"(?<=\d),(?=\d{3}\b)")
_APOSTROPHES: Final = str.maketrans({"\u2018": "'", "\u2019": "'"})


@dataclass(frozen=True)
class Comparison:
    name: str
    reference: str
    hypothesis: str
    errors: int
    """Words, or signs, that were replaced, left out or put in."""
    count: int
    """Words, or signs, of the reference."""
    alignment: str

    def __str__(self) -> str:
        return f"{self.name}: {self.errors} of {self.count}\n{self.alignment}"


def compare_words(name: str, said: str, heard: str) -> Comparison:
    return _compared(name, jiwer.process_words(" ".join(words(said)), " ".join(words(heard)) or "-"))


def compare_signs(name: str, said: str, heard: str) -> Comparison:
    """Compares Japanese, which has no spaces between words."""
    return _compared(name, jiwer.process_characters(letters(said), letters(heard) or "-"))


def error_rate(comparisons: Iterable[Comparison]) -> float:
    every = list(comparisons)
    return sum(one.errors for one in every) / sum(one.count for one in every)


def words(text: str) -> list[str]:
    """Returns the words of English as they sound, in lower case."""
    text = unicodedata.normalize("NFKC", text).lower().translate(_APOSTROPHES)
    text = _DIGIT_GROUPS.sub("", text)
    text = re.sub(r"\b(\d{3})[- ]?(\d{4})\b(?!\.\d)", lambda found: _digits(found[1] + found[2]), text)
    text = re.sub(r"([$£€])(\d+)(?:\.(\d\d))?", _money, text)
    text = re.sub(r"\b(\d{1,2})[:.](\d\d)(?=\s*[ap]\.?\s?m\b)|\b(\d{1,2}):(\d\d)\b", _time, text)
    text = re.sub(r"(?<=[\d\s])([ap])\.?\s?m\b\.?", r" \1 m ", text)
    text = re.sub(r"(?<![\w-])[-\u2212](?=\d)", "minus ", text)
    text = re.sub(r"(?<=\d)\s?(%|kg\b|km\b|°c\b|°)", lambda found: f" {UNITS[found[1]]} ", text)
    text = re.sub(r"\b(1[1-9]|20)(\d\d)\b", lambda found: num2words(int(found[0]), to="year"), text)
    text = re.sub(r"\b(\d+)(?:st|nd|rd|th)\b", lambda found: num2words(int(found[1]), to="ordinal"), text)
    text = re.sub(r"\b(\d+)\.(\d+)", lambda found: f"{num2words(int(found[1]))} point {_digits(found[2])}", text)
    text = re.sub(r"\d+", lambda found: f" {num2words(int(found[0]))} ", text)
    text = re.sub(r"\b(hundred|thousand) and\b", r"\1", text.replace("-", " "))
    text = re.sub(r"(?<!\w)'|'(?!\w)|[^\w' ]", " ", text)
    return [SPELLINGS.get(word, word) for word in text.split()]


def letters(text: str) -> str:
    """Returns the signs of a text without punctuation and spaces, as long as they are heard."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).lower() if sign.isalnum() or sign == "ー")


def contains(heard: str, wanted: str) -> bool:
    """Returns whether these words, as they sound, are heard one after another."""
    return f" {' '.join(words(wanted))} " in f" {' '.join(words(heard))} "


def _money(found: re.Match[str]) -> str:
    cents = f" and {num2words(int(found[3]))} cents" if found[3] else ""
    return f" {num2words(int(found[2]))} {SIGNS[found[1]]}{cents} "


def _time(found: re.Match[str]) -> str:
    """Returns 10:05 as "ten oh five", and 7:00 as "seven"."""
    hour, minute = (int(part) for part in (found[1] or found[3], found[2] or found[4]))
    spoken = "" if minute == 0 else f"{'oh ' if minute < 10 else ''}{num2words(minute)}"
    return f" {num2words(hour)} {spoken} "


def _digits(number: str) -> str:
    return " ".join(num2words(int(digit)) for digit in number)


def _compared(name: str, found: Any) -> Comparison:
    errors = found.substitutions + found.deletions + found.insertions
    alignment = jiwer.visualize_alignment(found, show_measures=False, skip_correct=False)
    reference, hypothesis = found.references[0], found.hypotheses[0]
    return Comparison(name, _joined(reference), _joined(hypothesis), errors, len(reference), alignment)


def _joined(parts: list[str]) -> str:
    return ("" if all(len(part) == 1 for part in parts) else " ").join(parts)

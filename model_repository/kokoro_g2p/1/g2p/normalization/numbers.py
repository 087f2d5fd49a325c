"""Writes out numbers, ranges and telephone numbers.

For most languages other than English the phonemizer knows numbers itself.
"""

import re
import unicodedata
from typing import Final

import cn2an
from num2words import num2words

from g2p.aligned_text import AlignedText
from g2p.languages import ENGLISH, Language
from g2p.normalization.abbreviations import abbreviations
from g2p.normalization.roman_numerals import roman_numerals

NUMBER: Final = r"\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,9})?|\d{1,15}(?:\.\d{1,9})?"

# A number with a zero in front is a code, or a part of a telephone number.
_AMOUNT: Final = rf"(?!0\d)(?:{NUMBER})%?"
_RANGE = re.compile(rf"(?<![\w.,/-])({_AMOUNT})(\s?)([–-])\s?({_AMOUNT})(?![\w/-]|[.,]\d)(?=(\s?=)?)")  # noqa: RUF001
_MINUS = re.compile(rf"(?<![\w.,)/-])[-−]({NUMBER})(?!\w)")  # noqa: RUF001
_SUBTRACTED = re.compile(r"(?<=\d)\s?−\s?(?=\d)")  # noqa: RUF001
_FRACTION = re.compile(r"(?<![\w/.,])(\d{1,2})/(\d{1,2})(?![\w/]|[.,]\d)")
_NUMERO = re.compile(r"(?:\bNo\.\s?|#)(?=\d)")
_EIGHTHS: Final = {
    "½": "a half", "¼": "a quarter", "¾": "three quarters", "⅓": "a third", "⅔": "two thirds", "⅛": "an eighth",
    "⅜": "three eighths", "⅝": "five eighths", "⅞": "seven eighths",
}  # fmt: skip
_AND_PART = re.compile(rf"(?<=\d)\s?([{''.join(_EIGHTHS)}])")
_SIGNS: Final = {
    "<": "less than", ">": "greater than", "≤": "at most", "≥": "at least", "≠": "is not", "≈": "is about",
    "\u00d7": "times", "÷": "divided by", "±": "plus or minus",
}  # fmt: skip
_SIGN = re.compile(rf"(?:(?<=\s)|(?<=\d))[{''.join(_SIGNS)}](?=\s?\w)")
_POWER = re.compile(r"(?<=\d)\^(?=\d)")
# "2.0.1" and "192.168.0.1", and versions such as "3.10", which are no decimals.
_DOTTED = re.compile(r"(?<![\w.,-])\d{1,4}(?:\.\d{1,4}){2,4}(?![\w-]|[.,]\d)")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_VERSION = re.compile(
    r"\b(?:[Vv]ersions?|Release|release|Python|iOS|Android|macOS|Ubuntu|PHP|Java|Node|Firefox|Chrome)\s\d{1,3}\.$"
)
_MINOR = re.compile(r"(?<=\d)\.([1-9]\d)(?![\w]|[.,]\d)")
_V = re.compile(r"\bv(?:er)?\.?(?=\d+(?:\.\d+)*\b)")
_ENDS_IN_ZERO = re.compile(r"(?<![\w.,$€£¥₹-])(\d{1,3}(?:,\d{3}){1,5}|\d{1,15})\.(\d{0,8}0)(%?)(?![\w.,]*\d|\w)")
_ZEROS_FIRST = re.compile(r"(?<![\w.,:/+$€£¥₹-])0\d{1,11}(?![\w:/-]|[.,]\d)")
_FORMULA = re.compile(r"\b(CO|NO|SO|CH|NH)([234₂₃₄])(?!\w)")
_CHINESE = re.compile(r"-?\d[\d.,/%:年月日号℃-]*")

# Telephone and other numbers that are read by their digits: 555-0137, (555) 010-4477, +1 555 010 4477, 020 7946 0958.
_CODE = re.compile(
    r"(?<![\w.,/+-])(?:\+\d{1,3}(?:[ .-]{0,2}\(?\d{1,4}\)?){1,5}|(?:1[ .-])?\(\d{2,4}\)[ .-]?\d{3,5}[ .-]\d{4}"
    r"|(?:1[ .-])?\d{3}([.-])\d{3}\1\d{4}|\d{3}-\d{2}-\d{4}|0\d{2,4}[ -]\d{3,4}[ -]\d{3,4}|0\d{4} \d{6})"
    r"(?![\w-]|[.,]\d)"
)
_FEWEST: Final = 7  # digits of a telephone number
_LOCAL = re.compile(r"(?<![\w.,/+$€£¥₹-])(\d{3})-(\d{4})(?![\w%-]|[.,]\d)")
_CALLED = re.compile(
    r"\b(?:call|called|dial|phone|telephone|tel|fax|number(?! of)|text|ring|reach)\b[^.!?]{0,25}$", re.IGNORECASE
)
_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_PLUS: Final[dict[Language, str]] = {
    "en-US": "plus", "en-GB": "plus", "es": "más", "fr": "plus", "hi": "प्लस", "it": "più", "pt-BR": "mais",
}  # fmt: skip


def numbers(text: AlignedText, language: Language) -> AlignedText:
    if language == "zh":
        return text.replace(_CHINESE, _chinese)
    if language == "ja":
        return text
    if language in ENGLISH:
        text = roman_numerals(abbreviations(text))
    text = text.replace(_CODE, lambda found: _by_digits(found[0], language))
    if language not in ENGLISH:
        return text
    text = text.replace(_LOCAL, lambda found: _by_digits(found[0], language) if _is_telephone(found) else None)
    text = text.replace(_NUMERO, lambda _: "number ")
    text = text.replace(_FORMULA, lambda found: f"{' '.join(found[1])} {unicodedata.digit(found[2])}")
    text = text.replace(_V, lambda _: "version ").replace(_MINOR, _minor).replace(_DOTTED, _dotted)
    text = text.replace(_ZEROS_FIRST, lambda found: _digits(found[0]))
    text = text.replace(_ENDS_IN_ZERO, _with_zeros)
    text = text.replace(_AND_PART, lambda found: f" and {_EIGHTHS[found[1]]}")
    text = text.replace(_SIGN, lambda found: f" {_SIGNS[found[0]]} ").replace(_POWER, lambda _: " to the power of ")
    text = text.replace(_FRACTION, _fraction)
    text = text.replace(_RANGE, _range)
    text = text.replace(_SUBTRACTED, lambda _: " minus ")
    return text.replace(_MINUS, lambda found: f"minus {found[1]}")


def _range(found: re.Match[str]) -> str:
    """A difference has a result behind it, or blanks around its sign and the larger number in front."""
    one, blank, sign, other, equals = found.groups()
    if one == other and not blank:
        return f"{one} {other}"  # "50-50"
    apart = blank and sign == "-" and _value(one) > _value(other)
    return f"{one} {'minus' if equals or apart else 'to'} {other}"


def _value(number: str) -> float:
    return float(number.rstrip("%").replace(",", ""))


def _is_telephone(found: re.Match[str]) -> bool:
    """Tells a telephone number from a range such as 500-1000, by its digits or by a word such as "call" before it."""
    first, last = found.groups()
    called = _CALLED.search(found.string, 0, found.start())
    return first == "555" or "0" in (first[0], last[0]) or called is not None


def _by_digits(number: str, language: Language) -> str | None:
    groups = re.findall(r"\d+", number)
    if sum(map(len, groups)) < _FEWEST:
        return None
    digits = [_digits(group) if language in ENGLISH else " ".join(group) for group in groups]
    return (f"{_PLUS[language]} " if number[0] == "+" else "") + ", ".join(digits)


def _digits(number: str) -> str:
    return " ".join(_DIGITS[int(digit)] for digit in number)


def _dotted(found: re.Match[str]) -> str:
    parts = found[0].split(".")
    between = " dot " if _ADDRESS.fullmatch(found[0]) else " point "
    return between.join(_digits(part) if part[0] == "0" else part for part in parts)


def _with_zeros(found: re.Match[str]) -> str:
    return f"{found[1]} point {_digits(found[2])}" + (" percent" if found[3] else "")


def _minor(found: re.Match[str]) -> str | None:
    return f" point {found[1]}" if _VERSION.search(found.string, 0, found.start() + 1) else None


def _fraction(found: re.Match[str]) -> str | None:
    above, below = int(found[1]), int(found[2])
    if not 0 < above < below:
        return None
    more = "and " if re.search(r"\d\s$", found.string[: found.start()]) else ""
    if below == 2:  # noqa: PLR2004 - a half
        return f"{more}one half"
    name = "quarter" if below == 4 else num2words(below, to="ordinal").replace("-", " ")  # noqa: PLR2004
    return f"{more}{num2words(above)} {name}{'s' if above > 1 else ''}"


def _chinese(found: re.Match[str]) -> str | None:
    try:
        return str(cn2an.transform(found[0].replace(",", ""), "an2cn"))
    except ValueError:  # no number that it knows: the phonemizer spells it
        return None

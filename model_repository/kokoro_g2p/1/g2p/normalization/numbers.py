"""Writes out numbers, ranges and telephone numbers.

For most languages other than English the phonemizer knows numbers itself.
"""

import re
from typing import Final

import cn2an
from num2words import num2words

from g2p.aligned_text import AlignedText
from g2p.languages import ENGLISH, Language

NUMBER: Final = r"\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,9})?|\d{1,15}(?:\.\d{1,9})?"

# A number with a zero in front is a code, or a part of a telephone number.
_AMOUNT: Final = rf"(?!0\d)(?:{NUMBER})%?"
_RANGE = re.compile(rf"(?<![\w.,/-])({_AMOUNT})(\s?)([–-])\s?({_AMOUNT})(?![\w/-]|[.,]\d)(?=(\s?=)?)")  # noqa: RUF001
_MINUS = re.compile(rf"(?<![\w.,)/-])[-−]({NUMBER})(?!\w)")  # noqa: RUF001
_SUBTRACTED = re.compile(r"(?<=\d)\s?−\s?(?=\d)")  # noqa: RUF001
_FRACTION = re.compile(r"(?<![\w/.,])(\d{1,2})/(\d{1,2})(?![\w/]|[.,]\d)")
_NUMERO = re.compile(r"(?:\bNo\.\s?|#)(?=\d)")
_SHORTENED = re.compile(r"\b(?:vs\.?|Prof\.)(?=\s\S)")
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
    text = text.replace(_CODE, lambda found: _by_digits(found[0], language))
    if language not in ENGLISH:
        return text
    text = text.replace(_LOCAL, lambda found: _by_digits(found[0], language) if _is_telephone(found) else None)
    text = text.replace(_NUMERO, lambda _: "number ")
    text = text.replace(_SHORTENED, lambda found: "Professor" if found[0] == "Prof." else "versus")
    text = text.replace(_FRACTION, _fraction)
    text = text.replace(_RANGE, _range)
    text = text.replace(_SUBTRACTED, lambda _: " minus ")
    return text.replace(_MINUS, lambda found: f"minus {found[1]}")


def _range(found: re.Match[str]) -> str:
    """A difference has a result behind it, or blanks around its sign and the larger number in front."""
    one, blank, sign, other, equals = found.groups()
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
    digits = [[_DIGITS[int(digit)] if language in ENGLISH else digit for digit in group] for group in groups]
    return (f"{_PLUS[language]} " if number[0] == "+" else "") + ", ".join(map(" ".join, digits))


def _fraction(found: re.Match[str]) -> str | None:
    above, below = int(found[1]), int(found[2])
    if not 0 < above < below:
        return None
    if below == 2:  # noqa: PLR2004 - a half
        return "one half"
    name = "quarter" if below == 4 else num2words(below, to="ordinal").replace("-", " ")  # noqa: PLR2004
    return f"{num2words(above)} {name}{'s' if above > 1 else ''}"


def _chinese(found: re.Match[str]) -> str | None:
    try:
        return str(cn2an.transform(found[0].replace(",", ""), "an2cn"))
    except ValueError:  # no number that it knows: the phonemizer spells it
        return None

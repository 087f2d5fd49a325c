"""Numbers and what is made of them: dates, times, money, units.

English is written out here. In the other languages the reader knows the numbers itself; only the order of an amount of
money is put right.
"""

import re
from typing import Final

import cn2an
from num2words import num2words

from g2p.aligned import AlignedText
from g2p.language import Language

_ENGLISH: Final = ("en-US", "en-GB")
_NUMBER = r"\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,9})?|\d{1,15}(?:\.\d{1,9})?"
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

_ISO_DATE = re.compile(r"(?<![\w-])(\d{4})-(\d{2})-(\d{2})(?![\w-])")
_SHORT_DATE = re.compile(r"(?<![\w/])(\d{1,2})/(\d{1,2})/(\d{4})(?![\w/])")
_TIME = re.compile(r"(?<![\d:])(\d{1,2}):([0-5]\d)(?::[0-5]\d)?(?![\d:])(\s?[AaPp]\.?[Mm]\b\.?)?")
_MONEY = re.compile(rf"([$€£¥₹])\s?({_NUMBER})(?!\d)(?:\s(thousand|million|billion|trillion)\b)?(?:-(\w+))?")
_SIGN_FIRST = re.compile(r"([$€£¥₹])\s?(\d[\d.,]{0,17}\d|\d)")
_UNIT = re.compile(
    rf"(?<![\w.,])({_NUMBER})\s?(km/h|m/s|mph|kWh|km²|m²|m³|km|cm|mm|kg|mg|lbs?|oz|ft|kHz|MHz|GHz|Hz|[kKMGT]B|ms|ml|mL|°[CF]|kW)(?![\w/²³])"
)
_RANGE = re.compile(rf"(?<![\w.,/-])({_NUMBER})\s?[–-]\s?({_NUMBER})(?![\w/-]|[.,]\d)")  # noqa: RUF001
_MINUS = re.compile(rf"(?<![\w.,)/-])[-−]({_NUMBER})(?!\w)")  # noqa: RUF001
_FRACTION = re.compile(r"(?<![\w/.,])(\d{1,2})/(\d{1,2})(?![\w/]|[.,]\d)")
_NUMERO = re.compile(r"(?:\bNo\.\s?|#)(?=\d)")
_CHINESE = re.compile(r"-?\d[\d.,/%:年月日号℃-]*")

_MONEY_NAMES: Final = {
    "$": ("dollar", "dollars", "cent", "cents"), "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"), "¥": ("yen", "yen", "", ""), "₹": ("rupee", "rupees", "paisa", "paise"),
}  # fmt: skip
_FOREIGN_MONEY: Final[dict[Language, dict[str, str]]] = {
    "es": {"$": "dólares", "€": "euros", "£": "libras", "¥": "yenes", "₹": "rupias"},
    "fr": {"$": "dollars", "€": "euros", "£": "livres", "¥": "yens", "₹": "roupies"},
    "it": {"$": "dollari", "€": "euro", "£": "sterline", "¥": "yen", "₹": "rupie"},
    "pt-BR": {"$": "dólares", "€": "euros", "£": "libras", "¥": "ienes", "₹": "rupias"},
    "hi": {"$": "डॉलर", "€": "यूरो", "£": "पाउंड", "¥": "येन", "₹": "रुपये"},
    "ja": {"$": "ドル", "€": "ユーロ", "£": "ポンド", "¥": "円", "₹": "ルピー"},
    "zh": {"$": "美元", "€": "欧元", "£": "英镑", "¥": "元", "₹": "卢比"},
}
_UNIT_NAMES: Final = {
    "km/h": "kilometers per hour", "m/s": "meters per second", "mph": "miles per hour", "kWh": "kilowatt hours",
    "km²": "square kilometers", "m²": "square meters", "m³": "cubic meters", "km": "kilometers", "cm": "centimeters",
    "mm": "millimeters", "kg": "kilograms", "mg": "milligrams", "lb": "pounds", "lbs": "pounds", "oz": "ounces",
    "ft": "feet", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "Hz": "hertz", "kB": "kilobytes",
    "KB": "kilobytes", "MB": "megabytes", "GB": "gigabytes", "TB": "terabytes", "ms": "milliseconds",
    "ml": "milliliters", "mL": "milliliters", "°C": "degrees Celsius", "°F": "degrees Fahrenheit", "kW": "kilowatts",
}  # fmt: skip


def dates(text: AlignedText, language: Language) -> AlignedText:
    if language not in _ENGLISH:
        return text
    british = language == "en-GB"
    text = text.replace(_ISO_DATE, lambda found: _date(int(found[3]), int(found[2]), found[1], british=british))

    def short(found: re.Match[str]) -> str | None:
        one, other = int(found[1]), int(found[2])
        day, month = (one, other) if british else (other, one)
        return _date(day, month, found[3], british=british)

    text = text.replace(_SHORT_DATE, short)
    return text.replace(_TIME, _time)


def money(text: AlignedText, language: Language) -> AlignedText:
    if language in _ENGLISH:
        return text.replace(_MONEY, _english_money)
    names = _FOREIGN_MONEY[language]
    space = "" if language in ("ja", "zh") else " "
    return text.replace(_SIGN_FIRST, lambda found: f"{found[2]}{space}{names[found[1]]}")


def units(text: AlignedText, language: Language) -> AlignedText:
    if language not in _ENGLISH:
        return text

    def speak(found: re.Match[str]) -> str:
        name = _UNIT_NAMES[found[2]]
        if language == "en-GB":
            name = re.sub(r"(met|lit)er", r"\1re", name)
        return f"{found[1]} {_singular(name) if found[1] == '1' else name}"

    return text.replace(_UNIT, speak)


def numbers(text: AlignedText, language: Language) -> AlignedText:
    if language == "zh":
        return text.replace(_CHINESE, _chinese)
    if language not in _ENGLISH:
        return text
    text = text.replace(_NUMERO, lambda _: "number ")
    text = text.replace(_FRACTION, _fraction)
    text = text.replace(_RANGE, lambda found: f"{found[1]} to {found[2]}")
    return text.replace(_MINUS, lambda found: f"minus {found[1]}")


def _date(day: int, month: int, year: str, *, british: bool) -> str | None:
    if not 1 <= month <= len(_MONTHS) or not 1 <= day <= 31:  # noqa: PLR2004 - days of a month
        return None
    ordinal = num2words(day, to="ordinal").replace("-", " ")
    name = _MONTHS[month - 1]
    return f"the {ordinal} of {name} {year}" if british else f"{name} {ordinal}, {year}"


def _time(found: re.Match[str]) -> str | None:
    hour, minute, half = int(found[1]), int(found[2]), (found[3] or "").strip().replace(".", "").upper()
    if hour > 24:  # noqa: PLR2004 - hours of a day
        return None
    letters = f" {half[0]} {half[1]}" if half else ""
    if minute == 0:
        return f"{hour}{letters}" if half else f"{hour} o'clock"
    return f"{hour} {'oh ' if minute < 10 else ''}{minute}{letters}"  # noqa: PLR2004 - two digits


def _english_money(found: re.Match[str]) -> str | None:
    one, many, cent, cents = _MONEY_NAMES[found[1]]
    amount, scale, tail = found[2], found[3], found[4]
    if tail:
        return None
    if scale:
        return f"{amount} {scale} {many}"
    whole, _, part = amount.partition(".")
    name = one if whole.replace(",", "") == "1" else many
    if len(part) != 2 or not cent:  # noqa: PLR2004 - not a number of cents
        return f"{amount} {many if part else name}"
    small = int(part)
    said = f"{small} {cent if small == 1 else cents}"
    if whole == "0":
        return said
    return f"{whole} {name}" + (f" and {said}" if small else "")


def _singular(name: str) -> str:
    first, *rest = name.split(" ")
    if first in ("square", "cubic"):
        return f"{first} {rest[0].removesuffix('s')}"
    first = "foot" if first == "feet" else first.removesuffix("s")
    if rest[:1] == ["hours"]:
        rest = ["hour"]
    return " ".join([first, *rest])


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
    except ValueError:  # no number that it knows: the reader spells it
        return None

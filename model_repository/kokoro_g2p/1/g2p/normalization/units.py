"""Writes out units after numbers, and heights in feet and inches, in English."""

import re
from typing import Final

from g2p.aligned_text import AlignedText
from g2p.languages import ENGLISH, Language
from g2p.normalization.numbers import NUMBER

_UNIT = re.compile(
    rf"(?<![\w.,])({NUMBER})\s?(km/h|m/s|mph|kWh|km²|m²|m³|km|cm|mm|kg|mg|lbs?|oz|ft|kHz|MHz|GHz|Hz|[kKMGT]B|ms|ml|mL|°[CF]|kW)(?![\w/²³])"
)
_HEIGHT = re.compile(r"(?<![\w.,°'’′])(\d{1,2})['’′](\d{1,2})(?:[\"”″]|''|’’|′′)?(?![\w'’′]|\.\d)")  # noqa: RUF001
_FEET = re.compile(r"(?<![\w.,°'’′])(\d{1,3})['’′](?=\s(?:tall|high|wide|long|deep|by|x)\b)")  # noqa: RUF001

_UNIT_NAMES: Final = {
    "km/h": "kilometers per hour", "m/s": "meters per second", "mph": "miles per hour", "kWh": "kilowatt hours",
    "km²": "square kilometers", "m²": "square meters", "m³": "cubic meters", "km": "kilometers", "cm": "centimeters",
    "mm": "millimeters", "kg": "kilograms", "mg": "milligrams", "lb": "pounds", "lbs": "pounds", "oz": "ounces",
    "ft": "feet", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "Hz": "hertz", "kB": "kilobytes",
    "KB": "kilobytes", "MB": "megabytes", "GB": "gigabytes", "TB": "terabytes", "ms": "milliseconds",
    "ml": "milliliters", "mL": "milliliters", "°C": "degrees Celsius", "°F": "degrees Fahrenheit", "kW": "kilowatts",
}  # fmt: skip


def units(text: AlignedText, language: Language) -> AlignedText:
    if language not in ENGLISH:
        return text

    def speak(found: re.Match[str]) -> str:
        name = _UNIT_NAMES[found[2]]
        if language == "en-GB":
            name = re.sub(r"(met|lit)er", r"\1re", name)
        return f"{found[1]} {_singular(name) if found[1] == '1' else name}"

    text = text.replace(_HEIGHT, _height).replace(
        _FEET, lambda found: f"{found[1]} {'foot' if found[1] == '1' else 'feet'}"
    )
    return text.replace(_UNIT, speak)


def _singular(name: str) -> str:
    first, *rest = name.split(" ")
    if first in ("square", "cubic"):
        return f"{first} {rest[0].removesuffix('s')}"
    first = "foot" if first == "feet" else first.removesuffix("s")
    if rest[:1] == ["hours"]:
        rest = ["hour"]
    return " ".join([first, *rest])


def _height(found: re.Match[str]) -> str | None:
    feet, inches = found[1], int(found[2])
    if inches > 11:  # noqa: PLR2004 - inches of a foot
        return None
    return f"{feet} foot {inches}" if inches else f"{feet} feet"

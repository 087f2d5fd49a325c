"""Writes out units after numbers, and heights in feet and inches, in English."""

import re
from typing import Final

from g2p.aligned_text import AlignedText
from g2p.languages import ENGLISH, Language
from g2p.normalization.numbers import NUMBER

_HEIGHT = re.compile(r"(?<![\w.,°'’′])(\d{1,2})['’′](\d{1,2})(?:[\"”″]|''|’’|′′)?(?![\w'’′]|\.\d)")  # noqa: RUF001
_FEET = re.compile(r"(?<![\w.,°'’′])(\d{1,3})['’′](?=\s(?:tall|high|wide|long|deep|by|x)\b)")  # noqa: RUF001

_UNIT_NAMES: Final = {
    "km/h": "kilometers per hour", "m/s": "meters per second", "km/s": "kilometers per second", "mph": "miles per hour",
    "mg/mL": "milligrams per milliliter", "mg/ml": "milligrams per milliliter", "kWh": "kilowatt hours",
    "km²": "square kilometers", "m²": "square meters", "m³": "cubic meters", "km": "kilometers", "cm": "centimeters",
    "mm": "millimeters", "kg": "kilograms", "mg": "milligrams", "lb": "pounds", "lbs": "pounds", "oz": "ounces",
    "ft": "feet", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "Hz": "hertz", "kB": "kilobytes",
    "KB": "kilobytes", "MB": "megabytes", "GB": "gigabytes", "TB": "terabytes", "ms": "milliseconds",
    "ml": "milliliters", "mL": "milliliters", "°C": "degrees Celsius", "°F": "degrees Fahrenheit", "kW": "kilowatts",
    "MW": "megawatts", "GW": "gigawatts", "W": "watts", "dB": "decibels", "mi": "miles", "yd": "yards",
    "min": "minutes", "mins": "minutes", "hr": "hours", "hrs": "hours", "sec": "seconds", "secs": "seconds",
}  # fmt: skip
_STOPPED: Final = ("min", "mins", "hr", "hrs", "sec", "secs", "oz", "lb", "lbs", "ft")
_UNITS: Final = "|".join(sorted(_UNIT_NAMES, key=len, reverse=True)) + r"(?!(?<=\dW|\sW)\s+[A-Z\d])"  # "120 W 45th St."
_UNIT = re.compile(rf"(?<![\w.,])({NUMBER})(\s?|-)({_UNITS})(?![\w/²³])(\.(?=\s+[a-z]|,))?")


def units(text: AlignedText, language: Language) -> AlignedText:
    if language not in ENGLISH:
        return text

    def speak(found: re.Match[str]) -> str:
        number, between, unit, stop = found.groups()
        name = _UNIT_NAMES[unit]
        if language == "en-GB":
            name = re.sub(r"(met|lit)er", r"\1re", name)
        said = _singular(name) if number == "1" or between == "-" else name
        return f"{number} {said}" + ("" if unit in _STOPPED else stop or "")

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

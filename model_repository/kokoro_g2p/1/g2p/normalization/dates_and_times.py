"""Writes out dates and times of day in English; other phonemizers know theirs themselves."""

import re
from typing import Final

from num2words import num2words

from g2p.aligned_text import AlignedText
from g2p.languages import ENGLISH, Language
from g2p.sentence_boundaries import goes_on

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

_ISO_DATE = re.compile(r"(?<![\w-])(\d{4})-(\d{2})-(\d{2})(?![\w-])")
_SHORT_DATE = re.compile(r"(?<![\w/])(\d{1,2})/(\d{1,2})/(\d{4})(?![\w/])")

_HALF = r"\s?(?P<half>[AaPp])(?P<dots>\.\s?)?[Mm]\b(?P<stop>\.?)"
_CLOCK = re.compile(
    rf"(?<![\d:.,])(?P<hour>\d{{1,2}}):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:])(?:{_HALF})?"
)
_HOUR = re.compile(rf"(?<![\d:.,])(?P<hour>\d{{1,2}})(?:\.(?P<minute>[0-5]\d))?{_HALF}")
_BETWEEN = re.compile(  # two times
    r"(?:(?<=\d:[0-5]\d)|(?<=[\d\s][AaPp][Mm])|(?<=[AaPp]\.[Mm]\.))\s?[\u2013-]\s?(?=\d{1,2}(?::[0-5]\d|\s?[AaPp]\.?[Mm]))"
)
_AT = re.compile(r"\b(?:at|until|till|since|from)\s+$", re.IGNORECASE)


def dates(text: AlignedText, language: Language) -> AlignedText:
    if language not in ENGLISH:
        return text
    british = language == "en-GB"
    text = text.replace(_ISO_DATE, lambda found: _date(int(found[3]), int(found[2]), found[1], british=british))

    def short(found: re.Match[str]) -> str | None:
        one, other = int(found[1]), int(found[2])
        day, month = (one, other) if british else (other, one)
        return _date(day, month, found[3], british=british)

    text = text.replace(_SHORT_DATE, short)
    text = text.replace(_BETWEEN, lambda _: " to ")
    return text.replace(_HOUR, _hour).replace(_CLOCK, _clock)  # the minutes of a clock's time are no hours


def _date(day: int, month: int, year: str, *, british: bool) -> str | None:
    if not 1 <= month <= len(_MONTHS) or not 1 <= day <= 31:  # noqa: PLR2004 - days of a month
        return None
    ordinal = num2words(day, to="ordinal").replace("-", " ")
    name = _MONTHS[month - 1]
    return f"the {ordinal} of {name} {year}" if british else f"{name} {ordinal}, {year}"


def _clock(found: re.Match[str]) -> str | None:
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    if found["second"] and not found["half"] and not _AT.search(found.string, 0, found.start()):
        return _duration(hour, minute, second)
    if hour > 24:  # noqa: PLR2004 - hours of a day
        return None
    said = _of_the_day(hour, minute, half=bool(found["half"]))
    if found["second"]:
        said += f" and {_count(second, 'second')}"
    return said + _half(found)


def _hour(found: re.Match[str]) -> str | None:
    hour = int(found["hour"])
    if not 0 < hour <= 12:  # noqa: PLR2004 - hours of half a day
        return None
    return _of_the_day(hour, int(found["minute"] or 0), half=True) + _half(found)


def _of_the_day(hour: int, minute: int, *, half: bool) -> str:
    if minute == 0:
        return f"{hour}" if half else f"{hour} o'clock"
    return f"{hour} {'oh ' if minute < 10 else ''}{minute}"  # noqa: PLR2004 - two digits


def _half(found: re.Match[str]) -> str:
    """Returns "A.M" as letters, with a full stop only where that of "a.m." also ends the sentence."""
    if not found["half"]:
        return ""
    stop = found["stop"]
    if stop and found["dots"] and goes_on(found.string, found.end()):
        stop = ""
    return f" {found['half'].upper()}.M" + (".." if stop else "")


def _duration(hours: int, minutes: int, seconds: int) -> str:
    parts = [
        _count(number, unit) for number, unit in ((hours, "hour"), (minutes, "minute"), (seconds, "second")) if number
    ] or ["0 seconds"]
    return ", ".join(parts[:-1]) + (" and " if parts[1:] else "") + parts[-1]


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"

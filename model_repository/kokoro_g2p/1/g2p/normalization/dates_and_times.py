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

_SHORT_MONTHS: Final = {month[:3]: month for month in _MONTHS if month != "May"} | {"Sept": "September"}
_SHORT_MONTH = re.compile(rf"\b({'|'.join(_SHORT_MONTHS)})(\.(?!\s+[A-Z])|(?=\s\d{{1,2}}(?:st|nd|rd|th)?\b(?!:)))")
_DAYS: Final = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday",
    "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip
_SHORT_DAY = re.compile(
    rf"\b({'|'.join(_DAYS)})\.(?=,|\s*[\u2013-]|\s+(?:to|and|through|at|night|morning|afternoon|evening|\d|{'|'.join(_MONTHS)})\b"
    rf"|\s+(?:{'|'.join(_SHORT_MONTHS)})\.)"
)
_ANY_MONTH: Final = "|".join(_MONTHS)
_DAY_BEHIND = re.compile(  # "January 5", where what follows is not counted
    r"(?<=[a-z]\s)(\d{1,2})(?=\s?[\u2013-]\s?\d{1,2}\b|[,;)!?]|\.(?:\s|$)|$|:\s|\s(?:\d{4}|and|or|at|in|on|to|until|till|through"
    r"|was|is|were|will|we|he|she|they|it|I|the|a|an|from|with|for|by|after|before|when|as|that|this)\b)"
)
_DAY_TO = re.compile(r"(?<=\d)\s?[\u2013-]\s?(\d{1,2})(?![\w:/-]|[.,]\d)")
_DAY_BEFORE = re.compile(rf"(?<![\w.,:/-])(\d{{1,2}})(?=\s(?:{_ANY_MONTH})\b)")
_BEHIND_MONTH = re.compile(rf"\b(?:{_ANY_MONTH})\s$")
_BEHIND_DAY = re.compile(rf"\b(?:{_ANY_MONTH})\s\d{{1,2}}$")

_ISO_DATE = re.compile(r"(?<![\w-])(\d{4})-(\d{2})-(\d{2})(?![\w-])")
_DOTTED_DATE = re.compile(r"(?<![\w.])(\d{1,2})\.(\d{1,2})\.([12]\d{3})(?![\w-]|\.\d)")
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

    text = text.replace(_DOTTED_DATE, lambda found: _date(int(found[1]), int(found[2]), found[3], british=british))

    def short(found: re.Match[str]) -> str | None:
        one, other = int(found[1]), int(found[2])
        day, month = (one, other) if british else (other, one)
        return _date(day, month, found[3], british=british)

    text = text.replace(_SHORT_DATE, short)
    text = text.replace(_SHORT_DAY, lambda found: _DAYS[found[1]])
    text = text.replace(_SHORT_MONTH, lambda found: _SHORT_MONTHS[found[1]] + _stop(found))
    text = text.replace(_DAY_TO, _last_day).replace(_DAY_BEHIND, _day).replace(_DAY_BEFORE, _day_of)
    text = text.replace(_BETWEEN, lambda _: " to ")
    return text.replace(_HOUR, _hour).replace(_CLOCK, _clock)  # the minutes of a clock's time are no hours


def _date(day: int, month: int, year: str, *, british: bool) -> str | None:
    if not 1 <= month <= len(_MONTHS) or not 1 <= day <= 31:  # noqa: PLR2004 - days of a month
        return None
    ordinal = _ordinal(str(day))
    name = _MONTHS[month - 1]
    return f"the {ordinal} of {name} {year}" if british else f"{name} {ordinal}, {year}"


def _stop(found: re.Match[str]) -> str:
    return "." if found[2] and found.end() == len(found.string.rstrip()) else ""


def _day(found: re.Match[str]) -> str | None:
    if not _BEHIND_MONTH.search(found.string, 0, found.start()) or not _is_day(found[1]):
        return None
    return _ordinal(found[1])


def _last_day(found: re.Match[str]) -> str | None:
    if not _BEHIND_DAY.search(found.string, 0, found.start()) or not _is_day(found[1]):
        return None
    return f" to {_ordinal(found[1])}"


def _day_of(found: re.Match[str]) -> str | None:
    if not _is_day(found[1]):
        return None
    article = "" if re.search(r"\bthe\s$", found.string[: found.start()], re.IGNORECASE) else "the "
    return f"{article}{_ordinal(found[1])} of"


def _is_day(number: str) -> bool:
    return 1 <= int(number) <= 31  # noqa: PLR2004 - days of a month


def _ordinal(number: str) -> str:
    return str(num2words(int(number), to="ordinal")).replace("-", " ")


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

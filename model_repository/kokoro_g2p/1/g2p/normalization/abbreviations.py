"""Writes out English abbreviations that would be spelt or misread, without a stop that ends no sentence."""

import re
from typing import Final

from g2p.aligned_text import AlignedText

_TITLES: Final = {
    "Prof": "Professor", "Gov": "Governor", "Sen": "Senator", "Rep": "Representative", "Gen": "General",
    "Col": "Colonel", "Capt": "Captain", "Lt": "Lieutenant", "Sgt": "Sergeant", "Rev": "Reverend", "Hon": "Honorable",
    "Mt": "Mount", "Ft": "Fort",
}  # fmt: skip
_STREETS: Final = {"Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road", "Ln": "Lane", "Hwy": "Highway", "Sq": "Square"}
_BEFORE_NUMBERS: Final = {
    "fig": "figure", "figs": "figures", "no": "number", "nos": "numbers", "vol": "volume", "vols": "volumes",
    "ch": "chapter", "p": "page", "pp": "pages", "apt": "apartment", "ext": "extension", "tel": "telephone",
    "eq": "equation", "art": "article",
}  # fmt: skip
_OTHERS: Final = {
    "approx": "approximately", "dept": "department", "Corp": "Corporation", "Co": "Company", "Jr": "Junior",
    "Sr": "Senior", "Ltd": "Limited", "Inc": "Inc", "etc": "etc",
}  # fmt: skip

# Words that begin a sentence much more often than they belong to a name.
STARTS: Final = (
    "(?:The|Then|There|They|These|This|That|Those|It|Its|He|She|His|Her|We|Our|You|Your|I|My|In|On|At|As|A|An|And|But|Or"
    "|So|If|When|While|After|Before|Since|For|From|With|By|To|Now|Today|Later|Some|Many|Most|All|Both|Each|No|Not|What"
    "|Who|Why|How|Where|However|Yet|Still|Once|Although|Their)"
)
_END: Final = rf"(?=\s*$|\s+[\"“(]?{STARTS}\b)"

_TITLE = re.compile(rf"\b({'|'.join(_TITLES)})\.(?=\s+[A-Z])")
_STREET = re.compile(rf"\b({'|'.join(_STREETS)})\.?(?![\w'’])")  # noqa: RUF001
_SAINT_OR_STREET = re.compile(r"\bSt\.(?=(\s+[A-Z])?)")
_NAME_BEFORE = re.compile(r"(?:\b[A-Z][a-z]+|\d(?:st|nd|rd|th))\s$")
_NO_NAME_BEFORE = re.compile(rf"(?:^|[.!?]\s)(?:\w+)\s$|\b{STARTS}\s$")
_WITH_NUMBER = re.compile(rf"(?<![\w.])({'|'.join(_BEFORE_NUMBERS)})\.\s?(?=\d)", re.IGNORECASE)
_OTHER = re.compile(rf"\b({'|'.join(_OTHERS)}|Approx|Dept)\.")
_VERSUS = re.compile(r"\bvs\b\.?(?=\s\S)")
_LETTERS_LAST = re.compile(rf"\b((?:[A-Z]\.){{2,4}}){_END}")


def abbreviations(text: AlignedText) -> AlignedText:
    text = text.replace(_VERSUS, lambda _: "versus")
    text = text.replace(_TITLE, lambda found: _TITLES[found[1]])
    text = text.replace(_SAINT_OR_STREET, _saint_or_street)
    text = text.replace(_STREET, _street)
    text = text.replace(_WITH_NUMBER, lambda found: _like(found[1], _BEFORE_NUMBERS[found[1].lower()]) + " ")
    text = text.replace(_OTHER, _other)
    # "U.S." has two stops at the end of a sentence, of which the phonemizer speaks one.
    return text.replace(_LETTERS_LAST, lambda found: f"{found[1]}.")


def _saint_or_street(found: re.Match[str]) -> str:
    before, stop = found.string[: found.start()], _stop(found)
    if _NAME_BEFORE.search(before) and (stop or not (found[1] and _NO_NAME_BEFORE.search(before))):
        return "Street" + stop
    return "Saint" if found[1] else "Street" + stop


def _street(found: re.Match[str]) -> str | None:
    has_name = _NAME_BEFORE.search(found.string, 0, found.start()) is not None
    goes_on = not found[0].endswith(".") and re.match(r"\s+[A-Z]", found.string[found.end() :]) is not None
    return _STREETS[found[1]] + _stop(found) if has_name and not goes_on else None


def _other(found: re.Match[str]) -> str | None:
    if found[1] in ("Jr", "Sr") and not re.search(r"[a-z],?\s$", found.string[: found.start()]):
        return None  # "Sr. Gomez" is no senior
    known = _OTHERS.get(found[1])
    return (known or _like(found[1], _OTHERS[found[1].lower()])) + _stop(found)


def _stop(found: re.Match[str]) -> str:
    """Returns the full stop of an abbreviation where a sentence seems to end."""
    ends = re.match(_END, found.string[found.end() :]) is not None
    return "." if ends and found[0].endswith(".") else ""


def _like(written: str, word: str) -> str:
    return word.capitalize() if written[0].isupper() else word

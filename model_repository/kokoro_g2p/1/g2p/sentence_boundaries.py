"""Finds where sentences end, and what ends with them: a line, a paragraph, a heading."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from lectern_contract import Break

SHORT: Final = 40  # characters: a shorter sentence is joined with the next; Kokoro speaks a few words alone poorly

_CLOSERS = "\"'”’»)\\]」』）"  # noqa: RUF001
# A full stop or similar, with closing quotes and brackets; the end of a line. Chinese and Japanese need no space.
_ENDS = re.compile(rf"[.!?…।॥]+[{_CLOSERS}]*(?=\s|$)|[。！？]+[{_CLOSERS}]*|\n+")  # noqa: RUF001
_LAST_WORD = re.compile(r"([^\W\d_](?:[^\W\d_]|\.(?=[^\W\d_]))*)\.$")
_NEXT = re.compile(r"\s*[\"'“‘«(\[]*(\S)")  # noqa: RUF001
_BLANKS = re.compile(r"\s*")

# A full stop after these ends no sentence.
_ABBREVIATIONS: Final = frozenset(Path(__file__).with_name("abbreviations.txt").read_bytes().decode().split())
# Capitalised words that follow an hour in the same sentence.
_OF_AN_HOUR = re.compile(
    r"\s+(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|May|June|July|August|September"
    r"|October|November|December|Eastern|Central|Mountain|Pacific|[A-Z]{1,3}T|UTC)\b"
)
_BEHIND_STOP = re.compile(rf"[{_CLOSERS}]*\s*[\"'“‘«]*(\S)?")  # noqa: RUF001
# These also end a sentence if a capital letter follows.
_OFTEN_LAST: Final = frozenset({"etc", "inc", "ltd", "co", "corp", "jr", "sr", "a.m", "p.m", "u.s", "u.k", "al"})


_BY_LINE_ENDS: Final[tuple[Break, ...]] = ("sentence", "list_item", "paragraph", "heading")
"""What ends where so many line ends follow: more blank lines part more."""


class Boundary(NamedTuple):
    at: int
    kind: Break | None
    """None if nothing follows in the text."""


def sentence_boundaries(text: str, start: int, breaks: Iterable[int] = ()) -> list[Boundary]:
    """Returns the end of the sentence from `start` on, last, and of the short ones that are spoken along before it.

    It ends at a break at the latest.
    """
    last = min([at for at in breaks if at >= start], default=len(text))
    boundaries: list[Boundary] = []
    first = start
    for found in _ENDS.finditer(text, start, last):
        if found[0][0] == "\n":
            if text[first : found.start()].strip():  # a line without a full stop is not spoken along
                return [*boundaries, Boundary(found.start(), _kind(text, found.start()))]
            continue
        if not _is_end(text, found):
            continue
        first = found.end()
        boundaries.append(Boundary(first, _kind(text, first)))
        if len(text[start:first].strip()) >= SHORT:
            return boundaries
    if text[first:last].strip() or not boundaries:
        boundaries.append(Boundary(last, _kind(text, last)))
    return boundaries


def _kind(text: str, at: int) -> Break | None:
    blanks = _BLANKS.match(text, at)
    if blanks is None or blanks.end() == len(text):
        return None
    return _BY_LINE_ENDS[min(blanks[0].count("\n"), len(_BY_LINE_ENDS) - 1)]


def _is_end(text: str, found: re.Match[str]) -> bool:
    following = _NEXT.match(text, found.end())
    if found[0] != ".":
        # "Stop!" she said: what goes on in lower case is the same sentence.
        return following is None or not following[1].islower()
    word = _LAST_WORD.search(text, max(0, found.start() - 30), found.end())
    if word is None or following is None:
        return following is None or not following[1].islower()
    before = word[1].lower()
    if following[1].islower():
        return False
    if len(before) == 1 and word[1].isupper() and word[1] != "I":
        return False  # an initial
    if before in ("a.m", "p.m"):
        return not goes_on(text, found.end())
    return before not in _ABBREVIATIONS or (before in _OFTEN_LAST and following[1].isupper())


def goes_on(text: str, end: int) -> bool:
    """Returns whether a sentence goes on after the full stop of "p.m.", which ends at `end`."""
    following = _BEHIND_STOP.match(text, end)
    if following is None or following[1] is None:
        return False
    return not following[1].isupper() or _OF_AN_HOUR.match(text, end) is not None

"""Finds where sentences end."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

SHORT: Final = 40  # characters: a shorter sentence is joined with the next; Kokoro speaks a few words alone poorly

_CLOSERS = "\"'”’»)\\]」』）"  # noqa: RUF001
# A full stop or similar, with closing quotes and brackets; the end of a line. Chinese and Japanese need no space.
_ENDS = re.compile(rf"[.!?…।॥]+[{_CLOSERS}]*(?=\s|$)|[。！？]+[{_CLOSERS}]*|\n+")  # noqa: RUF001
_LAST_WORD = re.compile(r"([^\W\d_](?:[^\W\d_]|\.(?=[^\W\d_]))*)\.$")
_NEXT = re.compile(r"\s*[\"'“‘«(\[]*(\S)")  # noqa: RUF001

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


def sentence_end(text: str, start: int, breaks: Iterable[int] = ()) -> int:
    """Returns where the sentence, or the few short ones, from `start` on end: at a break at the latest."""
    last = min([at for at in breaks if at >= start], default=len(text))
    first = start
    for found in _ENDS.finditer(text, start, last):
        end = found.end()
        if found[0][0] == "\n":
            if text[first : found.start()].strip():
                return end
            continue
        if not _is_end(text, found):
            continue
        if len(text[start:end].strip()) >= SHORT:
            return end
        first = end
    return last


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

"""Turns shown text into spoken text, with spans that lead every spoken character back."""

import re

from orchestrator.text.characters import (
    CJK,
    CLOSING_BRACKETS,
    CLOSING_QUOTES,
    DEVANAGARI_AND_BENGALI,
    HAN,
    KANA,
    PAUSES,
)
from orchestrator.text.elements import CELL_BREAK
from orchestrator.text.spans import Span, Spoken, add_span

# Soft hyphens, zero-width spaces, direction marks and control characters are not heard, and would split a word.
_UNHEARD = (
    "\u0000-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff"
)
# Text that is not copied as it stands: blanks, and a sign repeated four times or more (dotted leaders, ruled lines).
# A single space between two words is regular: it is by far the most frequent blank.
_IRREGULAR = re.compile(rf"(?! [^\s{_UNHEARD}])[\s{_UNHEARD}]+|([^\w\s{_UNHEARD}])\1{{3,}}")
_WHITE = re.compile(r"\s")
_LINE_END = re.compile(r"[\n\r\x85\u2028\u2029]")
_CJK = re.compile(rf"[{CJK}]")

_CLOSERS = CLOSING_QUOTES + CLOSING_BRACKETS + "*_~` "
_FULL_STOPS = (
    (re.compile(rf"[{HAN}{KANA}]"), "。"),
    (re.compile(rf"[{DEVANAGARI_AND_BENGALI}]"), "।"),
)


def to_spoken(shown: str, *, stop: bool = True, cells: bool = False) -> Spoken:
    """Returns what is said for one element, with its blanks collapsed.

    ``stop`` ends it with a full stop where it has no end of its own; ``cells`` puts commas between table cells.
    """
    out = _Builder()
    position = len(shown) - len(shown.lstrip())
    for match in _IRREGULAR.finditer(shown, position):
        out.copy(shown, position, match.start())
        position = match.end()
        sign, run = match.group(1), match.group()
        if sign:
            out.put("…" if sign == "." else sign, match.start(), match.end())
        elif out.last and position < len(shown) and (space := _space(shown, match)):
            if cells and CELL_BREAK in run and out.last not in PAUSES:
                out.put(",", match.start(), match.start())
            out.put(space, match.start(), match.end())
    out.copy(shown, position, len(shown))
    if stop and _wants_stop(spoken := out.text()):
        end = out.spans[-1][3]
        out.put(_full_stop(spoken), end, end)
    return Spoken(out.text(), out.spans)


class _Builder:
    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._texts: list[str] = []
        self._length = 0
        self.last = ""

    def copy(self, shown: str, start: int, end: int) -> None:
        if start < end:
            self.put(shown[start:end], start, end)

    def put(self, spoken: str, start: int, end: int) -> None:
        add_span(self.spans, (self._length, self._length + len(spoken), start, end))
        self._texts.append(spoken)
        self._length += len(spoken)
        self.last = spoken[-1]

    def text(self) -> str:
        return "".join(self._texts)


def _space(shown: str, blank: re.Match[str]) -> str:
    """Returns what a run of blanks is in speech: a space, or nothing."""
    if not _WHITE.search(blank.group()):
        return ""
    start, end = blank.span()
    wrapped = _LINE_END.search(blank.group()) and _CJK.match(shown[start - 1]) and _CJK.match(shown[end])
    return "" if wrapped else " "


def _wants_stop(spoken: str) -> bool:
    bare = spoken.rstrip(_CLOSERS)
    return bool(bare) and bare[-1] not in PAUSES


def _full_stop(spoken: str) -> str:
    """Chooses the full stop of the script that the text ends in."""
    for character in reversed(spoken):
        if character.isalnum():
            return next((stop for script, stop in _FULL_STOPS if script.match(character)), ".")
    return "."

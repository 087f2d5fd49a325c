"""Cues of captions: as much text as can be read while it is heard."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, Protocol

import msgspec

# As in broadcasters' guides: two lines of 42 characters, at most seven seconds.
LINE: Final = 42
MOST_SECONDS: Final = 7.0
PAUSE: Final = 0.8  # seconds of silence that end a cue

_SHORTEST: Final = 0.001  # WebVTT wants the end behind the start
_SENTENCE_END: Final = re.compile(r"[.!?…。！？।؟](?:\s?[\"'”’»«)\]」』）])*$")  # noqa: RUF001
_OPENING: Final = ("Ps", "Pi")  # Unicode's categories of brackets and quotation marks that open
# Marks with a space before them that still close, as in French; what touches the next word opens.
_STANDING: Final = re.compile(r"(?:\s+[!?;:.,…%»”’\"')\]]+(?=\s))*")  # noqa: RUF001
_PARAGRAPH: Final = re.compile(r"\n[^\S\n]*\n")  # an empty line
_WIDE: Final = 2


class Timed(Protocol):
    """A word: when it is heard, in seconds, and where it stands, in characters of the text."""

    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def text_start(self) -> int: ...
    @property
    def text_end(self) -> int: ...


class Cue(msgspec.Struct, frozen=True):
    start: float  # seconds
    end: float
    text: str


def cues(words: Sequence[Timed], original: str, extent: tuple[int, int]) -> Iterator[Cue]:
    """Yields cues that end with a sentence or a paragraph, at a pause, and where they would be too long to read.

    Together they have all of the text in ``extent``: what stands between two words goes with one of them.
    """
    begin, end = extent
    first = 0
    for place in range(1, len(words) + 1):
        cut = end if place == len(words) else _cut(original, words[place - 1], words[place])
        if place < len(words) and not _ends(words, first, place, original, begin, cut):
            continue
        cut = max(cut, words[place - 1].text_end)
        text = " ".join(original[begin:cut].split())
        start = words[first].start
        yield Cue(start, max(words[place - 1].end, start + _SHORTEST), text)
        first, begin = place, cut


def _ends(words: Sequence[Timed], first: int, place: int, original: str, begin: int, cut: int) -> bool:
    """Returns whether the cue from ``first``, with the text from ``begin`` to ``cut``, ends before ``place``."""
    before, after = words[place - 1], words[place]
    if after.text_start < before.text_end:  # both are spoken for the same range of the text, such as a number
        return False
    return (
        _SENTENCE_END.search(original[begin:cut].rstrip()) is not None
        or _PARAGRAPH.search(original, before.text_end, after.text_start) is not None
        or after.start - before.end >= PAUSE
        or _width(original[begin : after.text_end].strip()) > 2 * LINE - 4  # a line rarely ends just at its limit
        or after.end - words[first].start > MOST_SECONDS
    )


def _cut(original: str, before: Timed, after: Timed) -> int:
    """Returns where to cut between words: closing marks go with the first, opening ones and dashes with the second."""
    at = before.text_end
    while at < after.text_start and not original[at].isspace():
        at += 1
    if at >= after.text_start:  # no space parts them, as in Chinese
        between = range(before.text_end, after.text_start)
        return next((at for at in between if unicodedata.category(original[at]) in _OPENING), at)
    standing = _STANDING.match(original, at, after.text_start)
    return standing.end() if standing else at


def lines(text: str) -> str:
    """Breaks text that is too wide into two lines of about the same width."""
    widths = list(accumulate(map(_columns, text)))
    if not widths or widths[-1] <= LINE:
        return text
    places = [at for at in range(1, len(text)) if _may_break(text[at - 1], text[at])]
    if not places:
        return text
    middle = min(places, key=lambda at: abs(2 * widths[at - 1] - widths[-1]))
    return f"{text[:middle].rstrip()}\n{text[middle:].lstrip()}"


def _may_break(before: str, after: str) -> bool:
    """Allows breaks at spaces and, in scripts without spaces, where no mark comes to stand alone."""
    if after == " ":
        return True
    wide = _columns(before) == _columns(after) == _WIDE
    kind = unicodedata.category(after)
    return wide and unicodedata.category(before) not in _OPENING and (kind in _OPENING or not kind.startswith("P"))


def _width(text: str) -> int:
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    """Returns 2 for Chinese and Japanese characters, 0 for combining and invisible ones, else 1."""
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return _WIDE if unicodedata.east_asian_width(char) in "WF" else 1

"""Captions as JSON, SubRip or WebVTT, from the times of words."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from lectern.caption_cues import Timed, cues, lines
from lectern.types import CaptionFormat


class TextRange(NamedTuple):
    """The text in which a segment's words have their offsets, and the range of it that is this segment."""

    original: str
    extent: tuple[int, int]


def captions(words: Sequence[Timed], text: str, seconds: float, caption_format: CaptionFormat) -> str:
    """Returns the whole file for one text. Its audio lasts `seconds`."""
    writer = WRITERS[caption_format]()
    return writer.segment(words, TextRange(text, (0, len(text)))) + writer.finish(seconds)


class Writer(Protocol):
    """Turns segments into the text of one file."""

    def segment(self, words: Sequence[Timed], text: TextRange) -> str: ...

    def finish(self, seconds: float) -> str: ...


class JsonWriter:
    """``{"words": [...], "duration": SECONDS}``."""

    def __init__(self) -> None:
        self._begun = False

    def segment(self, words: Sequence[Timed], text: TextRange) -> str:  # noqa: ARG002
        written = [msgspec.json.encode(word).decode() for word in words]
        before = "," if self._begun and written else "" if self._begun else '{"words":['
        self._begun = self._begun or bool(written)
        return (before if written else "") + ",".join(written)

    def finish(self, seconds: float) -> str:
        return f'{"" if self._begun else """{"words":["""}],"duration":{seconds:.3f}}}'


class SrtWriter:
    def __init__(self) -> None:
        self._number = 0

    def segment(self, words: Sequence[Timed], text: TextRange) -> str:
        written = []
        for cue in cues(words, *text):
            self._number += 1
            shown = lines(cue.text).replace("-->", "→")  # would read as a time
            written.append(f"{self._number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{shown}\n\n")
        return "".join(written)

    def finish(self, seconds: float) -> str:  # noqa: ARG002
        return ""


class VttWriter:
    def __init__(self) -> None:
        self._header = "WEBVTT\n\n"

    def segment(self, words: Sequence[Timed], text: TextRange) -> str:
        header, self._header = self._header, ""
        return header + "".join(
            f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_escaped(lines(cue.text))}\n\n"
            for cue in cues(words, *text)
        )

    def finish(self, seconds: float) -> str:  # noqa: ARG002
        return self._header


WRITERS: Final[Mapping[CaptionFormat, type[Writer]]] = {"json": JsonWriter, "srt": SrtWriter, "vtt": VttWriter}


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

"""The marks of a dialogue in plain text: `[voice:af_sky]` passes the word on, `[pause:0.5s]` is silence."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from orchestrator.lib.errors.problems import BadRequest, FieldError

_TAG: Final = re.compile(r"\[(voice|pause):([^\[\]\n]{0,200})\]")
_SECONDS: Final = re.compile(r"(\d{1,4}(?:\.\d{1,6})?)\s{0,4}(ms|s)")
_MILLI: Final = 1_000


class Line(NamedTuple):
    """What one voice says without a break."""

    text: str
    start: int  # in the text with the marks
    voice: str | None  # None until the first mark
    silence: float  # seconds before it


def lines(text: str, *, longest_pause: float) -> Iterator[Line]:
    """Raises `BadRequest` for a mark that cannot be followed. Silence behind the last word is left out."""
    voice: str | None = None
    silence = 0.0
    begin = 0
    for tag in [*_TAG.finditer(text), None]:
        end = tag.start() if tag else len(text)
        said = text[begin:end]
        if said.strip():
            yield Line(said, begin, voice, silence)
            silence = 0.0
        if tag is None:
            return
        begin = tag.end()
        if tag[1] == "voice":
            voice = tag[2].strip() or _refuse(tag, "names no voice: write it as [voice:af_sky]")
        else:
            silence += _pause(tag, longest_pause)


def _pause(tag: re.Match[str], longest: float) -> float:
    found = _SECONDS.fullmatch(tag[2].strip())
    seconds = float(found[1]) / (_MILLI if found[2] == "ms" else 1) if found else -1.0
    if not 0 <= seconds <= longest:
        _refuse(tag, f"is no pause: write it as [pause:0.5s], with at most {longest:g} seconds")
    return seconds


def _refuse(tag: re.Match[str], why: str) -> str:
    message = f"{tag[0]!r} at character {tag.start()} {why}"
    raise BadRequest(f"'input' cannot be read as a dialogue: {message}.", errors=[FieldError("input", message)])

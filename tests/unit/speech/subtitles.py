"""Strict readers of SubRip and WebVTT: they refuse what some player would stumble over."""

import html
import re
from typing import NamedTuple

_SRT_TIMES = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d),(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d),(\d{3})")
_VTT_TIMES = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})")
_ENTITY = re.compile(r"&(amp|lt|gt);")


class Shown(NamedTuple):
    start: float  # seconds
    end: float
    text: str  # with its line breaks


def read_srt(data: str) -> list[Shown]:
    shown = []
    for number, block in enumerate(_blocks(data), 1):
        counter, times, *text = block.split("\n")
        assert counter == str(number), block
        shown.append(_shown(_SRT_TIMES, times, text))
    return _in_order(shown)


def read_vtt(data: str) -> list[Shown]:
    header, *blocks = _blocks(data)
    assert header == "WEBVTT"
    shown = []
    for block in blocks:
        times, *text = block.split("\n")
        for line in text:
            assert not re.search("[<>]", line), line
            assert "&" not in _ENTITY.sub("", line), line
        shown.append(_shown(_VTT_TIMES, times, [html.unescape(line) for line in text]))
    return _in_order(shown)


def _blocks(data: str) -> list[str]:
    if not data:
        return []
    assert data.endswith("\n\n"), "the last block has no end"
    assert "\r" not in data
    assert "\n\n\n" not in data
    return data.removesuffix("\n\n").split("\n\n")


def _shown(pattern: re.Pattern[str], times: str, text: list[str]) -> Shown:
    found = pattern.fullmatch(times)
    assert found is not None, times
    hours, minutes, seconds, thousandths, *rest = map(int, found.groups())
    start = hours * 3600 + minutes * 60 + seconds + thousandths / 1000
    end = rest[0] * 3600 + rest[1] * 60 + rest[2] + rest[3] / 1000
    assert end > start, times
    assert text, "a cue without text"
    for line in text:
        assert line.strip(), "an empty line within a cue"
        assert line == line.strip()
    return Shown(start, end, "\n".join(text))


def _in_order(shown: list[Shown]) -> list[Shown]:
    starts = [one.start for one in shown]
    assert starts == sorted(starts)
    return shown

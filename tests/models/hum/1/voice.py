"""One second of a sine for every ten characters, in chunks, with the delays and failures its voice asks for.

Delays are waited for in short steps, each of which is noted. The voice {"steps_since": TIME} speaks nothing: it refuses
with a JSON list, for each slow synthesis whose text has this one's in it, of [whether it was stopped, its steps after
TIME]. TIME is `time.monotonic()`, which all processes of a machine share. The voice {"release": true} lets every
synthesis go on whose text has this one's in it and whose voice holds it, and refuses likewise.
"""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lectern_triton.voice_backend.voice import BadRequest, Chunk, Samples, Segment, Settings

RATE = 24_000
CHUNK = RATE // 10
STEP = 0.01  # seconds
REMEMBERED = 256  # slow syntheses
VOICES = {
    "hum": {"hertz": 220},
    "slow": {"hertz": 220, "delay": 0.05},  # seconds between chunks of 0.1 s
    "crawling": {"hertz": 220, "delay": 0.5},
    "silent": {"hertz": 220, "hold_at": 0},  # chunks before which it waits until it is released
    "holding": {"hertz": 220, "hold_at": 1},
    "failing": {"hertz": 220, "fail_after": 3},  # chunks
    "broken": {"hertz": 220, "fail_after": 0},
    "picky": {"hertz": 220, "refuses": "unspeakable", "fails_at": "disastrous"},  # words
}


@dataclass
class Delays:
    """What one slow synthesis has waited."""

    text: str
    steps: list[float] = field(default_factory=list)
    stopped: bool = False

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Says whether it was stopped."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._step(left, stop):
                break
        return stop.is_set()

    def hold(self, released: Callable[[str], bool], stop: threading.Event) -> bool:
        """Says whether it was stopped."""
        while not released(self.text) and not self._step(STEP, stop):
            pass
        return stop.is_set()

    def _step(self, left: float, stop: threading.Event) -> bool:
        if stop.wait(min(STEP, left)):
            return True
        self.steps.append(time.monotonic())
        return False


def _hum(hertz: float, first: int, last: int) -> Samples:
    """Returns a part of a sine: all of a long text at once would take a second of the processor, heard or not."""
    return (8000 * np.sin(2 * np.pi * hertz * np.arange(first, last) / RATE)).astype(np.int16)


class Voice:
    concurrency = 32

    def __init__(self, _: Settings) -> None:
        self._slow: deque[Delays] = deque(maxlen=REMEMBERED)
        self._released: deque[str] = deque(maxlen=REMEMBERED)

    def card(self) -> Mapping[str, Any]:
        voices = [
            {"name": name, "language": "en", "gender": None, "description": "hums", "voice": parameters}
            for name, parameters in VOICES.items()
        ]
        return {"sample_rate": RATE, "speeds": [1, 1], "lexicon": False, "references": False, "voices": voices}

    def speak(self, segment: Segment, stop: threading.Event) -> Iterator[Chunk]:
        if "steps_since" in segment.voice:
            raise BadRequest(json.dumps(self._report(segment.text, float(segment.voice["steps_since"]))))
        if "release" in segment.voice:
            self._released.append(segment.text)
            raise BadRequest(json.dumps(self._report(segment.text, time.monotonic())))
        for order, error in (("refuses", BadRequest), ("fails_at", RuntimeError)):
            if (word := segment.voice.get(order)) and word in segment.text:
                raise error(f"this voice cannot say {word!r}")
        delay = float(segment.voice.get("delay", 0))
        delays = Delays(segment.text)
        if delay or "hold_at" in segment.voice:
            self._slow.append(delays)
        hertz = float(segment.voice.get("hertz", 220))
        samples = int(max(1.0, len(segment.text) / 10) * RATE)
        words = [match.span() for match in re.finditer(r"\S+", segment.text)]
        marks = tuple(
            (samples * start // len(segment.text), samples * end // len(segment.text), start, end)
            for start, end in words
        )
        try:
            for number, first in enumerate(range(0, samples, CHUNK)):
                if number == segment.voice.get("fail_after"):
                    raise RuntimeError("this voice fails when asked to")
                if delays.wait(delay, stop):
                    return
                if number == segment.voice.get("hold_at") and delays.hold(self._is_released, stop):
                    return
                last = min(first + CHUNK, samples)
                yield Chunk(_hum(hertz, first, last), tuple(mark for mark in marks if first < mark[1] <= last))
        finally:
            delays.stopped = stop.is_set()

    def _is_released(self, text: str) -> bool:
        return any(word in text for word in list(self._released))

    def _report(self, text: str, since: float) -> list[tuple[bool, int]]:
        return [(one.stopped, sum(at > since for at in one.steps)) for one in list(self._slow) if text in one.text]

    def close(self) -> None:
        pass

"""One second of a sine for every ten characters, in pieces, with the delays and failures its voice asks for."""

import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from voice_backend.protocol import Piece, Segment, Settings

RATE = 24_000
PIECE = RATE // 10
VOICES = {
    "hum": {"hertz": 220},
    "slow": {"hertz": 220, "delay": 0.05},  # seconds between pieces of 0.1 s
    "crawling": {"hertz": 220, "delay": 0.5},
    "failing": {"hertz": 220, "fail_after": 3},  # pieces
    "broken": {"hertz": 220, "fail_after": 0},
}


class Voice:
    concurrency = 32

    def __init__(self, settings: Settings) -> None:
        pass

    def card(self) -> Mapping[str, Any]:
        voices = [
            {"name": name, "language": "en", "gender": None, "description": "hums", "voice": parameters}
            for name, parameters in VOICES.items()
        ]
        return {"sample_rate": RATE, "speed": True, "lexicon": False, "references": False, "voices": voices}

    def speak(self, segment: Segment, stop: threading.Event) -> Iterator[Piece]:
        hertz = float(segment.voice.get("hertz", 220))
        samples = int(max(1.0, len(segment.text) / 10) / segment.speed * RATE)
        wave = (8000 * np.sin(2 * np.pi * hertz * np.arange(samples) / RATE)).astype(np.int16)
        words = [match.span() for match in re.finditer(r"\S+", segment.text)]
        marks = tuple(
            (samples * start // len(segment.text), samples * end // len(segment.text), start, end)
            for start, end in words
        )
        for number, first in enumerate(range(0, samples, PIECE)):
            if number == segment.voice.get("fail_after"):
                raise RuntimeError("this voice fails when asked to")
            if stop.wait(float(segment.voice.get("delay", 0))):
                return
            last = first + PIECE
            yield Piece(wave[first:last], tuple(mark for mark in marks if first < mark[1] <= last))

    def close(self) -> None:
        pass

"""Texts as a voice would say them: words with times, segments with spans."""

import re
from collections.abc import Sequence

from lectern.triton import Chunk, Mark
from orchestrator.audio.pcm import Samples
from orchestrator.speech.planner.script import Origin, Script, Segment
from orchestrator.speech.response.timeline import TimedWord, Timeline
from orchestrator.text.spans import Span
from tests.unit.audio.sounds import voice

RATE = 1_000
WORD = re.compile(r"[\w']+")


def timed(text: str, *, each: float = 0.3, begin: float = 0.0, pattern: re.Pattern[str] = WORD) -> list[TimedWord]:
    """One word after another without a pause, ``each`` seconds long."""
    return [
        word(found.group(), begin + each * place, begin + each * (place + 1), *found.span())
        for place, found in enumerate(pattern.finditer(text))
    ]


def word(text: str, start: float, end: float, text_start: int, text_end: int) -> TimedWord:
    return TimedWord(word=text, start=start, end=end, text_start=text_start, text_end=text_end)


def segment(text: str, spans: Sequence[Span] = ()) -> Segment:
    return Segment(key=text, text=text, model="espeak", voice={}, language="en", speed=1.0, spans=spans)


def timeline(segments: Sequence[Segment], texts: Sequence[str]) -> Timeline:
    """Segments of one text, if it is the same object, have one origin."""
    origins = {id(text): Origin(text=text) for text in texts}
    return Timeline(Script(segments, [origins[id(text)] for text in texts], sum(map(len, texts))))


def chunk(samples: int | Samples, *marks: tuple[int, int, int, int], rate: int = RATE) -> Chunk:
    audio = voice(samples, rate) if isinstance(samples, int) else samples
    return Chunk(audio, rate, [Mark(*mark) for mark in marks])

"""Sends several requests at a time to one voice model by gRPC: when the first audio comes, and how much of it."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

from lectern.triton import AsyncTriton, SpeakOptions, TritonError
from perf.summary_statistics import percentile

# What a model says that would have spoken on and on. Random weights do: they have taken their time all the same.
UNFINISHED: Final = "had not come to the end of the text"


@dataclass
class Load:
    """The measurements of a number of requests."""

    first: list[float] = field(default_factory=list)  # seconds from the request to its first audio
    whole: list[float] = field(default_factory=list)  # seconds to its end
    audio: list[float] = field(default_factory=list)  # seconds of audio of each request
    failures: Counter[str] = field(default_factory=Counter)  # by what was said, with how often
    unfinished: int = 0  # requests that were cut at the most audio that their text may have; they count all the same
    wall: float = 0.0  # seconds for all of them

    def summary(self) -> dict[str, Any]:
        """Without figures where nothing was spoken."""
        summary: dict[str, Any] = {"requests": len(self.audio), "unfinished": self.unfinished}
        summary["failures"] = dict(self.failures)
        if self.audio:
            summary |= {
                "first_audio_p50": percentile(self.first, 50),
                "first_audio_p99": percentile(self.first, 99),
                "whole_p50": percentile(self.whole, 50),
                "audio": sum(self.audio),
                "wall": self.wall,
                "audio_per_second": sum(self.audio) / self.wall,
                # Of a single request; above 1 it is made more slowly than it is heard.
                "real_time_factor_p50": percentile(
                    [whole / audio for whole, audio in zip(self.whole, self.audio, strict=True)], 50
                ),
            }
        return summary


async def speak_all(address: str, model: str, texts: Sequence[str], concurrency: int, options: SpeakOptions) -> Load:
    """Speaks all texts, ``concurrency`` at a time. Failures are counted, and the rest goes on."""
    load = Load()
    waiting = list(reversed(texts))
    async with AsyncTriton(address) as triton:

        async def work() -> None:
            while waiting:
                await _speak(triton, model, waiting.pop(), options, load)

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(concurrency)))
        load.wall = time.perf_counter() - began
    return load


async def _speak(triton: AsyncTriton, model: str, text: str, options: SpeakOptions, load: Load) -> None:
    began, first, audio = time.perf_counter(), 0.0, 0.0
    try:
        async with aclosing(triton.speak(model, text, **options)) as chunks:
            async for chunk in chunks:
                if chunk.audio.size and not audio:
                    first = time.perf_counter() - began
                audio += chunk.audio.size / chunk.sample_rate
    except TritonError as error:
        if not audio or UNFINISHED not in str(error):
            load.failures[f"{type(error).__name__}: {error}"] += 1
            return
        load.unfinished += 1
    load.first.append(first)
    load.whole.append(time.perf_counter() - began)
    load.audio.append(audio)

"""Speaks the same new texts through the REST API and through Triton's gRPC, to measure what REST adds."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import cycle
from typing import Final, NamedTuple

import msgspec

from lectern.triton import AsyncTriton, CardVoice
from perf.http_client import checked
from perf.stack import Stack
from perf.summary_statistics import percentile
from perf.texts import one_segment_texts

WAV_HEADER_BYTES: Final = 44
SAMPLE_BYTES: Final = 2
TOLERANCE: Final = 0.05
SETTLE_SECONDS: Final = 0.5  # what goes on after the answer, such as keeping the audio, belongs to the request


class Timing(NamedTuple):
    first_audio: float  # seconds
    whole: float


class Speech(NamedTuple):
    timing: Timing
    samples: int


Speaker = Callable[[str], Awaitable[Speech]]


class Comparison:
    """One voice over REST and over gRPC, with at most ``concurrency`` requests at a time."""

    def __init__(self, stack: Stack, model: str, voice: CardVoice, concurrency: int) -> None:
        self._stack = stack
        self._model = model
        self._voice = voice
        self._concurrency = concurrency

    async def check_same(self) -> None:
        """Raises RuntimeError unless both give audio of the same length: otherwise the times are not comparable.

        A model need not make the same samples twice: espeak-ng does not.
        """
        (text,) = one_segment_texts(1)
        async with AsyncExitStack() as open_things:
            (direct, *_), (rest, *_) = await self._direct(open_things), await self._rest(open_things)
            ratio = (await rest(text)).samples / (await direct(text)).samples
            if abs(ratio - 1) > TOLERANCE:
                raise RuntimeError(f"REST spoke {ratio:.2f} times as long as gRPC: {text}")

    async def repeat(self, texts: list[str], *, rest_first: bool) -> dict[str, float]:
        """Speaks all texts over one, then over the other; returns milliseconds."""
        measured: dict[str, float] = {}
        for way in ("rest", "direct") if rest_first else ("direct", "rest"):
            measured |= await self._measure(way, texts)
        measured["added_p50"] = measured["rest_p50"] - measured["direct_p50"]
        measured["added_p99"] = measured["rest_p99"] - measured["direct_p99"]
        measured["added_first_audio_p50"] = measured["rest_first_audio_p50"] - measured["direct_first_audio_p50"]
        return measured

    async def _measure(self, way: str, texts: list[str]) -> dict[str, float]:
        async with AsyncExitStack() as open_things:
            speakers = await (self._rest if way == "rest" else self._direct)(open_things)
            before = self._stack.cpu()
            timings = await _all(speakers, texts)
            await asyncio.sleep(SETTLE_SECONDS)
            after = self._stack.cpu()
        whole = [1000 * one.whole for one in timings]
        cpu = {f"{way}_cpu_{name}": 1000 * (after[name] - before[name]) / len(texts) for name in before}
        return {
            f"{way}_p50": percentile(whole, 50),
            f"{way}_p99": percentile(whole, 99),
            f"{way}_first_audio_p50": percentile([1000 * one.first_audio for one in timings], 50),
            **cpu,
        }

    async def _rest(self, open_things: AsyncExitStack) -> list[Speaker]:
        connections = [
            await open_things.enter_async_context(self._stack.connection()) for _ in range(self._concurrency)
        ]
        request = {"model": self._model, "voice": self._voice.name, "response_format": "wav"}

        def speaker(number: int) -> Speaker:
            async def speak(text: str) -> Speech:
                body = msgspec.json.encode({**request, "input": text})
                answer = checked(await connections[number].ask("POST", "/v1/audio/speech", body))
                return Speech(
                    Timing(answer.first_byte, answer.whole), (len(answer.body) - WAV_HEADER_BYTES) // SAMPLE_BYTES
                )

            return speak

        return [speaker(number) for number in range(self._concurrency)]

    async def _direct(self, open_things: AsyncExitStack) -> list[Speaker]:
        triton = await open_things.enter_async_context(AsyncTriton(self._stack.triton))
        await triton.server_ready()  # connects, as the connections above are

        async def speak(text: str) -> Speech:
            start = time.perf_counter()
            first = 0.0
            samples = 0
            async for chunk in triton.speak(
                self._model, text, voice=self._voice.voice, language=self._voice.language, speed=1.0
            ):
                first = first or time.perf_counter() - start
                samples += len(chunk.audio)
            whole = time.perf_counter() - start
            return Speech(Timing(first, whole), samples)

        return [speak] * self._concurrency


async def _all(speakers: list[Speaker], texts: list[str]) -> list[Timing]:
    waiting: Iterator[str] = iter(texts)
    timings: list[Timing] = []

    async def work(speak: Speaker) -> None:
        for text in waiting:
            timings.append((await speak(text)).timing)  # noqa: PERF401 - the workers share the iterator

    async with asyncio.TaskGroup() as group:
        for speak, _ in zip(cycle(speakers), speakers, strict=False):
            group.create_task(work(speak))
    return timings

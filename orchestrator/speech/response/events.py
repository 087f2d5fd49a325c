"""A response as server-sent events: audio in base64 and the times of words as they become known (OpenAI's `sse`)."""

import base64
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec
import structlog

from orchestrator.lib.errors.problem_details import openai_error
from orchestrator.lib.errors.problems import Problem
from orchestrator.speech.response.timeline import TimedWord, Timeline
from orchestrator.speech.response.usage import Tally
from orchestrator.speech.synthesis.segment_stream import SegmentChunks

log = structlog.stdlib.get_logger("lectern.speech")


class TimedChunks:
    """Chunks on their way to the encoder, whose words are timed as they pass."""

    def __init__(self, chunks: SegmentChunks, timeline: Timeline) -> None:
        self._chunks = chunks
        self._timeline = timeline
        self._words: deque[TimedWord] = deque()

    async def stream(self) -> SegmentChunks:
        async with aclosing(self._chunks):
            async for index, chunk in self._chunks:
                self._words.extend(self._timeline.add(index, chunk))
                yield index, chunk

    def take_words(self) -> list[TimedWord]:
        taken = list(self._words)
        self._words.clear()
        return taken


async def events(
    audio: AsyncGenerator[bytes, None], chunks: TimedChunks, tally: Tally, *, timestamps: bool
) -> AsyncGenerator[bytes, None]:
    """Ends with `speech.audio.done`, or with `error` if a segment failed after the response had begun."""
    begun = False
    async with aclosing(audio):
        try:
            async for data in audio:
                yield _event("speech.audio.delta", audio=base64.b64encode(data).decode())
                begun = True
                if (words := chunks.take_words()) and timestamps:
                    yield _event("speech.audio.words", words=words)
        except Problem as problem:
            if not begun:
                raise
            log.warning("speech ended early", detail=problem.detail)
            yield _event("error", error=openai_error(problem))
            return
    if (words := chunks.take_words()) and timestamps:
        yield _event("speech.audio.words", words=words)
    yield _event("speech.audio.done", usage=tally.usage())


def _event(kind: str, **fields: Any) -> bytes:  # noqa: ANN401 - JSON
    return b"data: " + msgspec.json.encode({"type": kind, **fields}) + b"\n\n"

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from lectern.triton import Chunk
from orchestrator.billing.prices import Prices
from orchestrator.lib.errors.problems import Busy, ModelFailed, Problem
from orchestrator.speech.response.events import TimedChunks, events
from orchestrator.speech.response.usage import Tally
from tests.unit.speech.said import RATE, chunk, segment
from tests.unit.speech.said import timeline as timeline_of

CHUNKS = [(0, chunk(RATE, (0, 400, 0, 2))), (0, chunk(RATE, (1_000, 1_900, 3, 9))), (1, chunk(RATE, (0, 500, 0, 3)))]
TEXTS = ["It snowed.", "Why?"]


def told(
    *, timestamps: bool = False, chunks: Sequence[tuple[int, Chunk]] = CHUNKS, fails: Problem | None = None
) -> list[dict[str, Any]]:
    """The events of a response whose encoder gives a byte for each chunk and one at the end."""

    async def source() -> AsyncGenerator[tuple[int, Chunk], None]:
        for one in chunks:
            yield one
        if fails is not None:
            raise fails

    async def audio(timed: TimedChunks) -> AsyncGenerator[bytes, None]:
        async for place, _ in timed.stream():
            yield bytes([place])
        yield b"\xff"

    async def all_of_it() -> list[bytes]:
        timed = TimedChunks(source(), timeline_of([segment(text) for text in TEXTS], TEXTS))
        tally = Tally(14, Prices({}))
        for place, one in chunks:
            tally.add(segment(TEXTS[place]), len(one.audio) / one.sample_rate, 0.0)
        return [data async for data in events(audio(timed), timed, tally, timestamps=timestamps)]

    read = []
    for data in asyncio.run(all_of_it()):
        assert data.startswith(b"data: ")
        assert data.endswith(b"\n\n")
        assert data.count(b"\n") == 2
        read.append(json.loads(data.removeprefix(b"data: ")))
    return read


def test_audio_comes_as_deltas_and_then_the_usage() -> None:
    *deltas, done = told()
    assert {event["type"] for event in deltas} == {"speech.audio.delta"}
    assert b"".join(base64.b64decode(event["audio"]) for event in deltas) == b"\x00\x00\x01\xff"
    assert done == {
        "type": "speech.audio.done",
        "usage": {
            "input_tokens": 14,
            "output_tokens": 3_000,
            "total_tokens": 3_014,
            "characters": 14,
            "seconds": 3.0,
            "cost": 0,
        },
    }


def test_words_come_with_the_audio_they_are_heard_in() -> None:
    kinds = [event["type"].removeprefix("speech.audio.") for event in told(timestamps=True)]
    assert kinds == ["delta", "words", "delta", "words", "delta", "words", "delta", "done"]
    words = [word for event in told(timestamps=True) for word in event.get("words", [])]
    assert [(word["word"], word["start"], word["end"]) for word in words] == [
        ("It", 0.0, 0.4),
        ("snowed", 1.0, 1.9),
        ("Why", 2.0, 2.5),
    ]


def test_a_failure_after_the_first_sound_is_the_last_event() -> None:
    last = told(fails=ModelFailed("It broke."))[-1]
    assert last["type"] == "error"
    assert last["error"] == {"message": "It broke.", "type": "server_error", "param": None, "code": "model_failed"}


def test_a_failure_before_it_is_left_to_the_status_of_the_response() -> None:
    with pytest.raises(Busy):
        told(chunks=[], fails=Busy())

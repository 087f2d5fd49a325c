"""Whoever listens need not wait for the end."""

import time
from uuid import uuid4

import pytest

from tests.integration.audio import decode
from tests.openai_contract.server import Server

FEWEST_CHUNKS = 4
FIRST = 0.7  # of the time that all takes, the most that the first chunk may take
TRIES = 5


def long_text() -> str:
    """About 3,500 characters, which nobody has sent before: no answer to it can lie ready."""
    story = " ".join(f"This is sentence number {number} of a rather long story." for number in range(60))
    return f"The number of this story is {uuid4().hex[:8]}. {story}"


@pytest.mark.parametrize("fields", [{}, {"stream_format": "audio"}], ids=["by default", "asked for"])
def test_audio_comes_in_pieces_while_it_is_made(server: Server, fields: dict[str, str]) -> None:
    """In one of several tries: a busy machine may begin late and then do all at once."""
    waits: list[float] = []
    while not waits or (waits[-1] >= FIRST and len(waits) < TRIES):
        started = time.monotonic()
        chunks, times = [], []
        with server.streaming(input=long_text(), response_format="mp3", **fields) as answer:
            for chunk in answer.iter_raw():
                chunks.append(chunk)
                times.append(time.monotonic() - started)
        assert len(chunks) >= FEWEST_CHUNKS
        samples, rate = decode(b"".join(chunks))
        assert len(samples) / rate > 60
        waits.append(times[0] / times[-1])
    assert min(waits) < FIRST, f"the first chunk came with the last: {waits}"


def test_a_client_may_leave_and_come_again(server: Server) -> None:
    with server.streaming(input=long_text(), response_format="mp3") as answer:
        next(answer.iter_raw())
    assert server.heard().content

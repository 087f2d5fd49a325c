"""`stream_format: sse`: audio in base64, then the usage."""

import base64
import json
from typing import Any

import httpx
import numpy as np
import pytest

from tests.integration.audio import decode
from tests.openai_contract.server import Server


def events_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """By the rules of the HTML standard: events end at an empty line, ``data`` lines are joined, comments left out."""
    events = []
    for block in answer.text.replace("\r\n", "\n").split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        data = "\n".join(line.removeprefix("data:").removeprefix(" ") for line in lines if line.startswith("data:"))
        if data and data != "[DONE]":
            events.append(json.loads(data))
    assert answer.text.endswith("\n\n"), "the last event has no end, so no client may see it"
    return events


def audio_of(events: list[dict[str, Any]]) -> bytes:
    deltas = [event["audio"] for event in events if event["type"] == "speech.audio.delta"]
    return b"".join(base64.b64decode(delta, validate=True) for delta in deltas)


def test_events_are_deltas_and_then_the_usage(server: Server) -> None:
    answer = server.heard(stream_format="sse")
    assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
    events = events_of(answer)
    assert [event["type"] for event in events[:-1]] == ["speech.audio.delta"] * (len(events) - 1)
    assert len(events) > 1
    done = events[-1]
    assert done["type"] == "speech.audio.done"
    usage = done["usage"]
    assert all(isinstance(usage[name], int) for name in ("input_tokens", "output_tokens", "total_tokens"))
    assert usage["input_tokens"] > 0
    assert usage["output_tokens"] > 0
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


@pytest.mark.parametrize("response_format", ["mp3", "wav", "opus", "aac", "flac"])
def test_deltas_together_are_one_file(server: Server, response_format: str) -> None:
    fields = {"response_format": response_format}
    whole, whole_rate = decode(server.heard(**fields).content)
    joined, rate = decode(audio_of(events_of(server.heard(stream_format="sse", **fields))))
    assert rate == whole_rate
    assert len(joined) == pytest.approx(len(whole), rel=0.25)
    assert np.abs(joined.astype(int)).max() > 1_000


def test_pcm_comes_as_events_too(server: Server) -> None:
    audio = audio_of(events_of(server.heard(stream_format="sse", response_format="pcm")))
    assert 2 < len(audio) / 2 / 24_000 < 20


def test_a_refusal_is_no_event(server: Server) -> None:
    answer = server.speak(stream_format="sse", voice="nobody-is-called-so")
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["message"]

"""Server-sent events as the speech API sends them."""

import base64
import json
from typing import Any

from tests.unit.client.fake_server import Answer

WORDS = [
    {"word": "Good", "start": 0.0, "end": 0.25, "text_start": 0, "text_end": 4},
    {"word": "morning", "start": 0.25, "end": 0.8, "text_start": 5, "text_end": 12},
]
USAGE = {"input_tokens": 13, "output_tokens": 900, "total_tokens": 913, "characters": 13, "seconds": 0.9}


def event(kind: str, **fields: Any) -> bytes:
    return b"data: " + json.dumps({"type": kind, **fields}).encode() + b"\n\n"


def delta(audio: bytes) -> bytes:
    return event("speech.audio.delta", audio=base64.b64encode(audio).decode())


def words(found: list[dict[str, Any]] = WORDS) -> bytes:
    return event("speech.audio.words", words=found)


DONE = event("speech.audio.done", usage=USAGE)
FAILED = event("error", error={"message": "The voice failed.", "type": "server_error", "param": None, "code": "x"})


def stream(*events: bytes, framing: str = "chunked") -> Answer:
    return Answer(body=b"".join(events), headers={"content-type": "text/event-stream"}, framing=framing)


def spoken() -> Answer:
    """A whole answer: `OggS` in two deltas, with the words of "Good morning."."""
    return stream(delta(b"Og"), words(WORDS[:1]), delta(b"gS"), words(WORDS[1:]), DONE)

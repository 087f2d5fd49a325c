"""Helpers of tests with custom voices."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import uuid4

import httpx

from tests.integration import documents
from tests.integration.audio import decode
from tests.recordings import CONSENT, TRANSCRIPT, file, pitch, tone

MODEL: Final = "higgs"  # with a fake engine, which hums at the pitch of its prompt
TEXT: Final = "A sentence to hear the voice by."


def form(**changes: Any) -> dict[str, Any]:
    fields = {"name": f"Ada {uuid4().hex[:8]}", "transcript": TRANSCRIPT, "consent": CONSENT, "speaker": "Ada Lovelace"}
    return {name: value for name, value in {**fields, "model": MODEL, **changes}.items() if value is not None}


def upload(api: httpx.Client, audio: bytes | None = None, **changes: Any) -> httpx.Response:
    sent = file(tone(300)) if audio is None else audio
    return api.post("/api/v1/voices", data=form(**changes), files={"audio": ("ada.wav", sent)})


@contextmanager
def voice(api: httpx.Client, hertz: float = 300.0, **changes: Any) -> Iterator[dict[str, Any]]:
    """A custom voice, which is deleted at the end if it is still there."""
    answer = upload(api, file(tone(hertz)), **changes)
    assert answer.status_code == 201, answer.text
    made = dict(answer.json())
    try:
        yield made
    finally:
        assert api.delete(f"/api/v1/voices/{made['id']}").status_code in (204, 404)


def speak(api: httpx.Client, name: Any, text: str = TEXT, **fields: Any) -> httpx.Response:
    return api.post("/v1/audio/speech", json={"input": text, "voice": name, "response_format": "wav", **fields})


def speak_from_store(api: httpx.Client, name: Any, text: str) -> httpx.Response:
    """Speaks a text that was spoken before, from the cache: a response ends a moment before its audio is cached."""
    return documents.until(lambda: speak(api, name, text), lambda answer: answer.headers.get("x-lectern-cost") == "0")


def heard(answer: httpx.Response) -> float:
    """Returns the pitch of the speech, in Hz."""
    assert answer.status_code == 200, answer.text
    return pitch(*decode(answer.content))

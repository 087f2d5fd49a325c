"""Speech that the hum model holds until a test lets it go on, and clients that leave when a test says so.

The voice `silent` holds before its first sound, `holding` after it (`tests/models/hum`).
"""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from lectern.triton import InvalidRequest, Triton
from tests.own_triton import until

LIMIT = 60.0  # seconds for what takes a tenth of one when the machine does nothing else


@contextmanager
def asking(url: str, key: str, body: dict[str, Any]) -> Iterator[None]:
    """A client that asks for speech, and leaves without having read the answer when the block ends."""
    place = urlsplit(url)
    assert place.hostname
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=LIMIT)
    connection.request("POST", "/v1/audio/speech", json.dumps(body), headers)
    try:
        yield
    finally:
        connection.close()


def syntheses(triton: Triton, word: str, since: float = 0.0) -> list[tuple[bool, int]]:
    """For each that the model has begun of a text with this word: whether it was stopped, and its steps since then."""
    return _ordered(triton, word, {"steps_since": since})


def release(triton: Triton, word: str) -> None:
    """Lets the model go on with what it holds of texts with this word, now and later."""
    _ordered(triton, word, {"release": True})


def until_begun(triton: Triton, word: str, count: int = 1) -> None:
    until(lambda: len(syntheses(triton, word)) >= count, f"the model has begun {count}", LIMIT)


def until_all_stopped(triton: Triton, word: str, count: int) -> None:
    def stopped() -> bool:
        found = syntheses(triton, word)
        return len(found) == count and all(stopped for stopped, _ in found)

    until(stopped, f"the model has stopped {count}", LIMIT)


def _ordered(triton: Triton, word: str, order: dict[str, Any]) -> list[tuple[bool, int]]:
    with pytest.raises(InvalidRequest) as report:
        list(triton.speak("hum", word, voice=order))
    said = str(report.value)
    return [(stopped, steps) for stopped, steps in json.loads(said[said.index("[") :])]

"""A model that is lost before it says anything is asked once more; what had begun ends so that a client can tell."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from lectern.triton import Triton
from tests.integration.audio import decode
from tests.integration.metrics import metric
from tests.stack import Stack


@pytest.fixture
def spare(stack: Stack, api: httpx.Client) -> Iterator[Triton]:
    """The model `spare`, loaded and known to the server."""
    with Triton(stack.triton_address) as triton:
        triton.load("spare")
        limit = time.monotonic() + 60
        while "spare" not in {model["id"] for model in api.get("/v1/models").json()["data"]}:
            assert time.monotonic() < limit
            time.sleep(0.1)
        yield triton
        triton.unload("spare")


def speak(api: httpx.Client, voice: str = "hum") -> httpx.Response:
    body = {"model": "spare", "voice": voice, "input": f"Nobody lost {uuid4().hex}.", "response_format": "wav"}
    return api.post("/v1/audio/speech", json=body)


def retried(stack: Stack) -> float:
    return metric(stack.url, "lectern_segments_retried_total", model="spare")


def test_a_reload_between_two_requests_is_not_noticed(stack: Stack, api: httpx.Client, spare: Triton) -> None:
    before = retried(stack)
    spare.unload("spare")
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(speak, api)
        limit = time.monotonic() + 60
        while retried(stack) == before:
            assert time.monotonic() < limit, "it was not asked again"
            time.sleep(0.02)
        spare.load("spare")
        answer = asked.result()
    assert answer.status_code == 200, answer.text
    samples, rate = decode(answer.content)
    assert len(samples) / rate > 4
    assert retried(stack) == before + 1

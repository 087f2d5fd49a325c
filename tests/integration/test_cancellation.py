"""When a client leaves, what only it listened to stops within 100 ms, in the models too."""

import time
from uuid import uuid4

import httpx
import pytest

from tests.integration.metrics import metric
from tests.stack import Stack

NOTICE_SECONDS = 0.1
CRAWL = {"model": "hum", "voice": "crawling", "response_format": "wav"}


def cancelled(stack: Stack) -> float:
    return metric(stack.url, "lectern_syntheses_cancelled_total", model="hum")


def wait_for(stack: Stack, count: float) -> float:
    """Seconds until so many syntheses were cancelled in all."""
    started = time.monotonic()
    while cancelled(stack) < count:
        assert time.monotonic() < started + 10, "the synthesis was not cancelled"
    return time.monotonic() - started


def test_a_client_that_leaves_in_the_middle_stops_the_synthesis(stack: Stack, api: httpx.Client) -> None:
    before = cancelled(stack)
    body = {**CRAWL, "input": f"This takes a very long time, {uuid4().hex}."}
    with api.stream("POST", "/v1/audio/speech", json=body) as answer:
        next(answer.iter_raw())
    assert wait_for(stack, before + 1) < NOTICE_SECONDS + 0.4  # the counter itself is asked over HTTP on a busy machine


def test_a_client_that_leaves_before_the_first_sound_stops_the_synthesis(stack: Stack, api: httpx.Client) -> None:
    before = cancelled(stack)
    body = {**CRAWL, "input": f"The first sound takes half a second, {uuid4().hex}."}
    with pytest.raises(httpx.ReadTimeout):
        api.post("/v1/audio/speech", json=body, timeout=0.2)
    wait_for(stack, before + 1)


def test_segments_made_ahead_stop_too(stack: Stack, api: httpx.Client) -> None:
    before = cancelled(stack)
    body = {**CRAWL, "input": " ".join(f"Sentence {n} of {uuid4().hex} is hummed slowly." for n in range(40))}
    with api.stream("POST", "/v1/audio/speech", json=body) as answer:
        next(answer.iter_raw())
    wait_for(stack, before + 3)  # the one being heard and two ahead

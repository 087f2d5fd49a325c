"""When a client leaves, what only it listened to stops within 100 ms, in the models too.

How long that takes on a clock depends on what else the machine does. Proven is that nothing on the way waits for a
time of its own: after its client has left, the model goes through at most ten more of the 10 ms steps in which it
waits (`tests/models/hum`), in most of several tries. Those are 100 ms where the model is scheduled in time; where it
is not, each step takes longer, and so does everything on the way to it. A way that waited for the model's next piece
would let it make some 25 steps, the half of what lies between two. That it stops at all is bounded by 10 s.
"""

import json
import time
from collections.abc import Callable
from statistics import median
from uuid import uuid4

import httpx
import pytest

from lectern.triton import InvalidRequest, Triton
from tests.integration.metrics import metric
from tests.stack import Stack

STEPS = 10
TRIES = 5
LIMIT = 10.0  # seconds
CRAWL = {"model": "hum", "voice": "crawling", "response_format": "wav"}  # 0.5 s before each piece, the first one too

Leave = Callable[[httpx.Client, str], float]
"""Asks for speech whose every segment has this word in it, leaves, and returns when that was."""


def listen_a_moment(api: httpx.Client, word: str) -> float:
    with api.stream(
        "POST", "/v1/audio/speech", json={**CRAWL, "input": f"This takes a very long time, {word}."}
    ) as answer:
        next(answer.iter_raw())
        return time.monotonic()


def leave_before_the_first_sound(api: httpx.Client, word: str) -> float:
    with pytest.raises(httpx.ReadTimeout):
        api.post("/v1/audio/speech", json={**CRAWL, "input": f"This takes a very long time, {word}."}, timeout=0.3)
    return time.monotonic()


def leave_others_ahead(api: httpx.Client, word: str) -> float:
    text = " ".join(f"Sentence {n} of {word} is hummed slowly." for n in range(40))
    with api.stream("POST", "/v1/audio/speech", json={**CRAWL, "input": text}) as answer:
        next(answer.iter_raw())
        return time.monotonic()


def steps_after(triton: Triton, word: str, left: float) -> list[int]:
    """For each segment with this word, once all are stopped."""
    limit = time.monotonic() + LIMIT
    while True:
        with pytest.raises(InvalidRequest) as report:
            list(triton.speak("hum", word, voice={"steps_since": left}))
        said = str(report.value)
        found = json.loads(said[said.index("[") :])
        if all(stopped for stopped, _ in found):
            return [steps for _, steps in found]
        assert time.monotonic() < limit, f"not stopped: {found}"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("leave", "segments"),
    [
        pytest.param(listen_a_moment, 1, id="in the middle"),
        pytest.param(leave_before_the_first_sound, 1, id="before the first sound"),
        pytest.param(leave_others_ahead, 3, id="with two segments made ahead"),
    ],
)
def test_a_client_that_leaves_stops_the_synthesis(stack: Stack, api: httpx.Client, leave: Leave, segments: int) -> None:
    before = metric(stack.url, "lectern_syntheses_cancelled_total", model="hum")
    most = []
    with Triton(stack.triton_address) as triton:
        for _ in range(TRIES):
            word = uuid4().hex
            steps = steps_after(triton, word, leave(api, word))
            assert len(steps) == segments
            most.append(max(steps))
    assert median(most) <= STEPS, most
    # At least: what an earlier test has left may be stopped, and counted, only now.
    assert metric(stack.url, "lectern_syntheses_cancelled_total", model="hum") >= before + TRIES * segments

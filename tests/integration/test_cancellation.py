"""When a client leaves, what only it listened to stops within 100 ms, in the models too.

How long that takes on a clock depends on what else the machine does. Proven is that nothing on the way waits for a
time of its own: the model holds the speech for ever, in steps of 10 ms (`tests/models/hum`), and after its client has
left it goes through at most ten more of them, in one of several tries. Those are 100 ms where every process is
scheduled in time. A cancellation that waited for the model's next chunk would never stop it.
"""

import time
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest

from lectern.triton import Triton
from tests.integration import held
from tests.integration.metrics import metric
from tests.stack import Stack

STEPS = 10
TRIES = 5
HELD = {"model": "hum", "voice": "holding", "response_format": "wav"}

Leave = Callable[[Stack, httpx.Client, Triton, str], float]
"""Asks for speech whose every segment has this word in it, leaves, and returns when that was."""


def listen_a_moment(_: Stack, api: httpx.Client, __: Triton, word: str) -> float:
    with api.stream("POST", "/v1/audio/speech", json={**HELD, "input": f"This takes for ever, {word}."}) as answer:
        next(answer.iter_raw())
        return time.monotonic()


def leave_before_the_first_sound(stack: Stack, _: httpx.Client, triton: Triton, word: str) -> float:
    body = {**HELD, "voice": "silent", "input": f"This takes for ever, {word}."}
    with held.asking(stack.url, stack.api_key, body):
        held.until_begun(triton, word)
        return time.monotonic()


def leave_others_ahead(_: Stack, api: httpx.Client, triton: Triton, word: str) -> float:
    text = " ".join(f"Sentence {n} of {word} is hummed slowly." for n in range(40))
    with api.stream("POST", "/v1/audio/speech", json={**HELD, "input": text}) as answer:
        audio = answer.iter_raw()  # the response ends when nobody has this any longer
        next(audio)
        held.until_begun(triton, word, 3)
        return time.monotonic()


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
            left = leave(stack, api, triton, word)
            held.until_all_stopped(triton, word, segments)
            most.append(max(steps for _, steps in held.syntheses(triton, word, left)))
    assert min(most) <= STEPS, most
    # At least: what an earlier test has left may be stopped, and counted, only now.
    assert metric(stack.url, "lectern_syntheses_cancelled_total", model="hum") >= before + TRIES * segments

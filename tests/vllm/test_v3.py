"""v3 by vLLM-Omni, as its process answers the backend: the same code, but that it streams."""

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lectern_triton.higgs_engine import messages
from lectern_triton.higgs_engine.messages import Recording
from tests.vllm.conftest import FRAMES, ROOT
from tests.vllm.engine import Engine, alike
from tests.vllm.requests import ENDLESS, HIGH, LOW, request, sampling


def same(engine: Engine, one: messages.Speak, other: messages.Speak) -> bool:
    return np.array_equal(engine.speak(one).samples, engine.speak(other).samples)


def test_the_start(v3: Engine) -> None:
    assert v3.ready == messages.Ready(family="v3", version="vllm-omni 0.30.0", streams=True, seeds=True)


def test_the_first_chunk_is_a_frame_and_comes_before_the_rest_is_made(v3: Engine) -> None:
    number = v3.begin(request(ENDLESS, max_frames=300))
    first = v3.first(number)
    assert isinstance(first, messages.Audio)
    assert len(first.samples) == 2 * messages.FRAME
    assert v3.health().running == 1
    rest = v3.rest(number, received=1)
    assert rest.frames == 299
    assert max(rest.chunks) <= messages.RATE


def test_it_comes_to_its_end(v3: Engine) -> None:
    spoken = v3.speak(request())
    assert spoken.complete
    assert spoken.frames == pytest.approx(FRAMES, rel=0.2)
    assert spoken.samples.size % messages.FRAME == 0


@pytest.mark.parametrize("frames", [1, 2, 10, 33])
def test_it_is_stopped_at_the_most_frames(v3: Engine, frames: int) -> None:
    spoken = v3.speak(request(max_frames=frames))
    assert spoken.frames == frames
    assert not spoken.complete


def test_two_references_give_two_voices_and_the_same_the_same(v3: Engine) -> None:
    assert not same(v3, request(reference=HIGH), request(reference=LOW))
    assert same(v3, request(reference=LOW), request(reference=LOW))


def test_all_that_is_asked_for_counts(v3: Engine) -> None:
    usual = request(sampling=sampling(temperature=1.0))
    for other in (
        request("Another text."),
        request(reference=Recording(HIGH.samples, "")),
        request(sampling=sampling(seed=8)),
        request(sampling=sampling(temperature=0.1)),
    ):
        assert not same(v3, usual, other)


def test_in_company_as_alone(v3: Engine) -> None:
    asked = [
        request(f"Block {number}.", max_frames=most, reference=(HIGH, LOW)[number % 2], sampling=sampling(seed=number))
        for number, most in enumerate([10, 100, 30, 100, 20, 5])
    ]
    alone = [v3.speak(each).samples for each in asked]
    numbers = []
    for each in asked:
        numbers.append(v3.begin(each))
        time.sleep(0.15)  # for variety: whatever else runs when one comes, all must sound as they do alone
    together = [v3.rest(number).samples for number in numbers]
    for number, (one, other) in enumerate(zip(alone, together, strict=True)):
        assert alike(one, other), f"block {number}"


def test_left_in_the_middle(v3: Engine) -> None:
    usual = v3.speak(request()).samples
    before = v3.health().aborted
    number = v3.begin(request(ENDLESS, max_frames=600))
    assert isinstance(v3.first(number), messages.Audio)
    v3.abort(number)
    end = v3.rest(number, received=1).end
    assert isinstance(end, messages.Failed)
    assert end.kind == "aborted"
    assert v3.health() == messages.Health(trouble="", running=0, aborted=before + 1)
    assert np.array_equal(v3.speak(request()).samples, usual)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"previous": LOW}, "before"), ({"scene": "A cave."}, "instructions"), ({"text": "x" * 1_000}, "no room")],
    ids=["what was before", "a scene", "too much of all"],
)
def test_bad_requests(v3: Engine, change: dict[str, Any], reason: str) -> None:
    spoken = v3.speak(request(**change))
    assert isinstance(spoken.end, messages.Failed)
    assert spoken.end.kind == "bad_request"
    assert reason in spoken.end.message


def test_prompts_are_those_of_vllm_omni(python: str, tiny_v3: Path) -> None:
    command = [python, "-m", "tests.vllm.same_prompts", str(tiny_v3 / "model")]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)

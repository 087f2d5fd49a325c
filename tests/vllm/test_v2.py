"""v2 by vLLM-Omni, as its process answers the backend."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lectern_triton.higgs_engine import messages
from lectern_triton.higgs_engine.messages import Recording
from tests.higgs.recordings import tone
from tests.vllm.conftest import FRAMES
from tests.vllm.engine import Engine, running
from tests.vllm.requests import ENDLESS, HIGH, LOW, SCENE, TEXT, request, sampling

REACH = 10  # frames: so far to both sides a frame's sound depends on others


def same(engine: Engine, one: messages.Speak, other: messages.Speak) -> bool:
    return np.array_equal(engine.speak(one).samples, engine.speak(other).samples)


def test_the_start(v2: Engine) -> None:
    assert v2.ready == messages.Ready(family="v2", version="vllm-omni 0.30.0", streams=False, seeds=True)
    assert set(v2.phases) == {"import", "engine", "codec", "prompts", "codec to device", "warm-up"}


def test_it_comes_to_its_end(v2: Engine) -> None:
    spoken = v2.speak(request())
    assert spoken.complete
    assert spoken.frames == pytest.approx(FRAMES, rel=0.2)
    assert spoken.samples.size % messages.FRAME == 0


@pytest.mark.parametrize("frames", [1, 10, 33])
def test_it_is_stopped_at_the_most_frames(v2: Engine, frames: int) -> None:
    spoken = v2.speak(request(max_frames=frames))
    assert spoken.frames == frames
    assert not spoken.complete


def test_two_references_give_two_voices_and_the_same_the_same(v2: Engine) -> None:
    assert not same(v2, request(reference=HIGH), request(reference=LOW))
    assert same(v2, request(reference=LOW), request(reference=LOW))


def test_all_that_is_asked_for_counts(v2: Engine) -> None:
    usual = request(sampling=sampling(temperature=1.0))
    for other in (
        request("Another text."),
        request(scene=SCENE),
        request(previous=LOW),
        request(reference=Recording(HIGH.samples, "Other words.")),
        request(sampling=sampling(seed=8)),
        request(sampling=sampling(temperature=0.1)),
        request(sampling=sampling(top_k=2)),
        request(sampling=sampling(top_p=0.1)),
    ):
        assert not same(v2, usual, other)


def test_cold_to_the_utmost(v2: Engine) -> None:
    """Greedy but for codes that repeat themselves, which are drawn again, by the seed."""
    coldest = request(sampling=sampling(temperature=0.0))
    assert same(v2, coldest, coldest)


def test_in_company_as_alone(v2: Engine) -> None:
    """They come and go at different times, so that rows of the batch move, and prompts come between steps."""
    asked = [
        request(f"Block {number}.", max_frames=most, reference=(HIGH, LOW)[number % 2], sampling=sampling(seed=number))
        for number, most in enumerate([10, 100, 30, 100, 20, 100, 100, 5])
    ]
    alone = [v2.speak(each).samples for each in asked]
    numbers = []
    for each in asked:
        numbers.append(v2.begin(each))
        time.sleep(0.15)  # for variety: whatever else runs when one comes, all must sound as they do alone
    together = [v2.rest(number).samples for number in numbers]
    for number, (one, other) in enumerate(zip(alone, together, strict=True)):
        assert np.array_equal(one, other), f"block {number}"


def test_left_in_the_middle(v2: Engine) -> None:
    usual = v2.speak(request()).samples
    before = v2.health().aborted
    numbers = [v2.begin(request(ENDLESS, max_frames=600)) for _ in range(3)]
    # v2 tells nothing of the middle: but another that came later, and is over, was spoken in steps with these.
    assert v2.speak(request("Another.", max_frames=10)).samples.size
    assert v2.health().running == 3
    for number in numbers:
        v2.abort(number)
    for number in numbers:
        end = v2.rest(number).end
        assert isinstance(end, messages.Failed)
        assert end.kind == "aborted"
    assert v2.health() == messages.Health(trouble="", running=0, aborted=before + 3)
    assert np.array_equal(v2.speak(request()).samples, usual)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"reference": Recording(HIGH.samples, "")}, "text"),
        ({"reference": Recording(tone(200, 0.1), "Short.")}, "0.5 seconds"),
        ({"text": "x" * 1_000}, "no room"),
    ],
    ids=["no text with the reference", "a short reference", "too much of all"],
)
def test_bad_requests(v2: Engine, change: dict[str, Any], reason: str) -> None:
    spoken = v2.speak(request(**change))
    assert isinstance(spoken.end, messages.Failed)
    assert spoken.end.kind == "bad_request"
    assert reason in spoken.end.message
    assert not spoken.samples.size


def test_it_says_what_plain_transformers_says(v2: Engine, python: str, tiny_v2: Path, tmp_path: Path) -> None:
    """The same prompt and seed: the same samples but for rounding, up to where the library's last frame sounds.

    That one has the end in it, and vLLM-Omni cuts it off.
    """
    asked = [
        request(),
        request(scene=SCENE, reference=LOW, sampling=sampling(temperature=1.0, seed=3)),
        request(previous=LOW, sampling=sampling(temperature=0.3)),
        request(max_frames=40),
    ]
    arguments = {"model": str(tiny_v2 / "model"), "codec": str(tiny_v2 / "codec"), "warm_up": False}
    with running(python, "lectern_triton.higgs_engine.transformers", arguments, tmp_path / "engine.log") as plain:
        theirs = [plain.speak(each) for each in asked]
    for each, their in zip(asked, theirs, strict=True):
        our = v2.speak(each)
        assert our.complete == their.complete
        assert our.frames == their.frames - their.complete
        sure = our.samples.size - (REACH + 1) * messages.FRAME
        difference = our.samples[:sure].astype(np.int32) - their.samples[:sure]
        assert np.abs(difference).max() <= 2
        assert np.abs(our.samples[:sure]).max() > 1_000, f"{TEXT} is heard"

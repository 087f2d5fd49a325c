"""What becomes of an answer when one of its segments cannot be spoken."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence

import pytest

from lectern.triton import Chunk
from orchestrator.lib.errors.problems import BadRequest, ModelFailed, Problem, Unavailable
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.speech.admission.admission_controller import Ticket
from orchestrator.speech.planner.script import Segment
from orchestrator.speech.response.captions import captions
from orchestrator.speech.synthesis.segment_stream import stream_segments
from orchestrator.speech.synthesis.shared_synthesis import Subscription
from tests.unit.speech.said import chunk, segment, timeline
from tests.unit.speech.syntheses import subscribe as open_subscription
from tests.unit.speech.syntheses import synthesis

REFUSED = BadRequest("Nobody can say this.")
Told = Sequence[Exception | None]


async def listen_to(told: Told, skips: tuple[type[Problem], ...], *, begun: bool = False) -> list[tuple[int, Chunk]]:
    """One segment for each, which ends so. ``begun``: also what fails has said something before."""

    def subscribe(asked: Segment, _: Ticket | None) -> Subscription:
        made = synthesis(asked.key)
        error = told[int(asked.text)]
        if error is None or begun:
            made.add(chunk(10, (0, 10, 0, 1)))
        made.end(error)
        return open_subscription(made)

    plans = [segment(str(number)) for number in range(len(told))]
    threads = PriorityThreads(1)
    try:
        chunks = stream_segments(plans, subscribe, threads=threads, ahead=2, skips=skips)
        return [one async for one in chunks]
    finally:
        threads.close()


def heard(told: Told, *skips: type[Problem], begun: bool = False) -> list[int]:
    return [place for place, _ in asyncio.run(listen_to(told, skips, begun=begun))]


@pytest.mark.parametrize("place", range(4))
def test_what_is_refused_is_left_out_and_the_rest_is_heard(place: int) -> None:
    told = [REFUSED if number == place else None for number in range(4)]
    assert heard(told, BadRequest) == [number for number in range(4) if number != place]


def test_what_was_said_before_the_refusal_is_heard() -> None:
    assert heard([None, REFUSED, None], BadRequest, begun=True) == [0, 1, 2]


def test_nothing_is_left_out_unless_it_is_asked_for() -> None:
    with pytest.raises(BadRequest, match="Nobody can say"):
        heard([None, REFUSED, None])


@pytest.mark.parametrize("error", [ModelFailed(), Unavailable(), RuntimeError("a bug")])
def test_another_failure_ends_the_answer(error: Exception) -> None:
    with pytest.raises(type(error)):
        heard([None, error, None], BadRequest)


def test_a_model_that_fails_is_skipped_where_that_is_asked_for() -> None:
    assert heard([None, ModelFailed(), REFUSED, None], BadRequest, ModelFailed) == [0, 3]


@pytest.mark.parametrize("begun", [False, True], ids=["silent", "begun"])
def test_if_nothing_was_whole_the_first_failure_is_the_answer(begun: bool) -> None:  # noqa: FBT001
    with pytest.raises(BadRequest, match="Nobody can say"):
        heard([REFUSED, BadRequest("Nor this.")], BadRequest, begun=begun)


@pytest.mark.parametrize("place", range(3))
def test_captions_go_with_the_audio_that_is_left(place: int) -> None:
    async def written() -> str:
        told = [REFUSED if number == place else None for number in range(3)]

        async def chunks() -> AsyncGenerator[tuple[int, Chunk], None]:
            for one in await listen_to(told, (BadRequest,)):
                yield one

        times = timeline([segment(text) for text in "012"], ["0", "1", "2"])
        return b"".join([data async for data in captions(chunks(), times, "json")]).decode()

    told = json.loads(asyncio.run(written()))
    assert [word["word"] for word in told["words"]] == [text for text in "012" if text != str(place)]
    assert [word["start"] for word in told["words"]] == [0.0, 0.01]
    assert told["duration"] == 0.02

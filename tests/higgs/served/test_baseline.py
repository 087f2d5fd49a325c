"""Plain, cloned, streamed, left and in company: over gRPC, through the backend, to the engine and back."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from lectern.triton import AsyncTriton, Chunk, InvalidRequest, Reference
from tests.higgs.recordings import RATE
from tests.higgs.served.conftest import recording
from tests.higgs.texts import NEVER
from tests.own_triton import OwnTriton, until

FRAME = 960  # samples
TEXT = "The old lighthouse keeper climbed the steps."
BLOCKS = [
    "It was a dark night.", "The rain fell.", "Nobody spoke.", "“Who is there?”", "A door: it opened, slowly.",
    "Then nothing.", "He counted to ten.", "1, 2, 3 …", "The lamp went out.", "And so it ended.",
]  # fmt: skip


@pytest.fixture(scope="module")
def model(install: Callable[..., str]) -> str:
    return install("higgs_tiny")


def reference(hertz: float) -> Reference:
    return Reference(recording(hertz), RATE, "A hum.")


def sound(chunks: list[Chunk]) -> Any:
    return np.concatenate([chunk.audio for chunk in chunks])


def heard(server: OwnTriton, model: str, text: str = TEXT, **more: Any) -> Any:
    return sound(list(server.client.speak(model, text, **more)))


def test_plain(server: OwnTriton, model: str) -> None:
    chunks = list(server.client.speak(model, TEXT))
    audio = sound(chunks)
    marks = [mark for chunk in chunks for mark in chunk.marks]
    assert {chunk.sample_rate for chunk in chunks} == {RATE}
    assert audio.size > 0
    assert audio.size % FRAME == 0
    assert [TEXT[mark.text_start : mark.text_end] for mark in marks] == [word.strip(".") for word in TEXT.split()]
    assert marks[-1].last_sample <= audio.size


def test_the_card(server: OwnTriton, model: str) -> None:
    card = server.client.card(model)
    assert (card.sample_rate, card.references, card.previous, card.seed, card.places) == (RATE, True, True, True, 1)
    assert [voice.name for voice in card.voices] == ["high", "low"]


def test_cloned(server: OwnTriton, model: str) -> None:
    high, low = (heard(server, model, reference=reference(hertz)) for hertz in (220, 140))
    assert not np.array_equal(high, low)
    assert np.array_equal(high, heard(server, model, reference=reference(220)))


def test_a_preset_is_a_reference_like_any_other(server: OwnTriton, model: str) -> None:
    preset = heard(server, model, voice={"preset": "low"})
    assert np.array_equal(preset, heard(server, model, reference=reference(110)))
    assert np.array_equal(heard(server, model), heard(server, model, voice={"preset": "high"}))
    assert not np.array_equal(preset, heard(server, model))


def test_what_was_spoken_before_counts(server: OwnTriton, model: str) -> None:
    before = Reference(heard(server, model, "Once upon a time."), RATE, "Once upon a time.")
    assert not np.array_equal(heard(server, model, previous=before), heard(server, model))


def test_streamed(server: OwnTriton, model: str) -> None:
    chunks = list(server.client.speak(model, TEXT))
    sizes = [chunk.audio.size for chunk in chunks if chunk.audio.size]
    assert len(sizes) > 3
    assert 0 < sizes[0] <= RATE // 10
    assert max(sizes) <= RATE


def test_left_in_the_middle(server: OwnTriton, model: str) -> None:
    whole = heard(server, model)
    aborted = server.engine_metric("aborted_total", model)
    with closing(server.client.speak(model, f"{NEVER} {TEXT * 5}")) as chunks:
        assert next(chunk for chunk in chunks if chunk.audio.size)
    assert np.array_equal(heard(server, model), whole)
    # The gauges of the engine are read at intervals.
    until(lambda: server.engine_metric("aborted_total", model) == aborted + 1, "the engine has aborted it")


def test_a_clone_needs_its_text(server: OwnTriton, model: str) -> None:
    with pytest.raises(InvalidRequest, match="reference_text"):
        heard(server, model, reference=Reference(recording(220), RATE))


def test_blocks_sound_alike_in_any_order_and_company(server: OwnTriton, install: Callable[..., str]) -> None:
    model = install("higgs_tiny_4", concurrency="4")
    voices: list[dict[str, Any]] = [{"voice": {"preset": "low"}}, {"reference": reference(220)}, {}]
    asked = [{"text": text, **voices[number % 3]} for number, text in enumerate(BLOCKS)]
    alone = [heard(server, model, **each) for each in asked]

    async def together(order: list[int]) -> dict[int, Any]:
        async with AsyncTriton(server.configuration.address) as client:

            async def one(number: int) -> Any:
                return sound([chunk async for chunk in client.speak(model, **asked[number])])

            return dict(zip(order, await asyncio.gather(*map(one, order)), strict=True))

    for order in (list(reversed(range(10))), [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]):
        made = asyncio.run(together(order))
        for number, expected in enumerate(alone):
            assert np.array_equal(made[number], expected), f"block {number} in {order}"

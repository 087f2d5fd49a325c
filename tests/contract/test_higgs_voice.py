"""The model `higgs` in the shared Triton, with its fake engine: which voice speaks, what is refused, how it ends.

The fake hums at the pitch of its reference (`tests/models/fake_higgs`), and does what is asked for in braces.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from functools import partial
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from lectern.triton import AsyncTriton, Busy, Chunk, InvalidRequest, ModelFailure, Reference, Triton
from tests.fake_higgs import PRESETS, hum, pitch
from tests.integration.documents import until

MODEL = "higgs"
SENTENCE = "The old lighthouse keeper climbed the steps. "
RATE = 24_000
FRAME = 960  # samples
STEPS = 10  # of 10 ms each
TRIES = 5


@pytest.fixture(scope="module")
def triton(triton_address: str) -> Iterator[Triton]:
    with Triton(triton_address) as client:
        yield client


def spoken(triton: Triton, text: str = SENTENCE, **more: Any) -> list[Chunk]:
    return list(triton.speak(MODEL, text, **more))


def sound(chunks: list[Chunk]) -> Any:
    return np.concatenate([chunk.audio for chunk in chunks])


def reference(hertz: float, rate: int = RATE, text: str | None = "a hum", seconds: float = 1.0) -> Reference:
    return Reference(hum(hertz, rate, seconds), rate, text)


def instructed(**orders: float) -> dict[str, str]:
    return {"instructions": " ".join(f"{{{name}={value}}}" for name, value in orders.items())}


def test_the_card_says_what_the_engine_can(triton: Triton) -> None:
    card = triton.card(MODEL)
    assert (card.sample_rate, card.places) == (RATE, 4)
    assert card.speeds == (1, 1)
    assert (card.references, card.previous, card.seed, card.instructions) == (True,) * 4
    assert (card.lexicon, card.markup, card.mixes) == (False,) * 3
    assert {voice.name: voice.voice for voice in card.voices} == {name: {"preset": name} for name in PRESETS}
    assert card.default_voice == "high"
    assert card.version.startswith("fake-weights-")


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_two_references_give_two_voices_and_the_same_the_same(triton: Triton, rate: int) -> None:
    first = sound(spoken(triton, reference=reference(210, rate)))
    second = sound(spoken(triton, reference=reference(270, rate)))
    again = sound(spoken(triton, reference=reference(210, rate)))
    assert pitch(first) == pytest.approx(210, abs=3)
    assert pitch(second) == pytest.approx(270, abs=3)
    assert np.array_equal(first, again)


def test_a_preset_is_a_voice_and_the_first_speaks_when_none_is_named(triton: Triton) -> None:
    heard = {name: sound(spoken(triton, voice={"preset": name})) for name in PRESETS}
    for name, hertz in PRESETS.items():
        assert pitch(heard[name]) == pytest.approx(hertz, abs=3)
    assert np.array_equal(sound(spoken(triton)), heard["high"])


def test_what_was_spoken_before_reaches_the_engine(triton: Triton) -> None:
    """The fake begins at the pitch of what was before."""
    everything = spoken(triton, reference=reference(200), previous=reference(1_000))
    chunks = [chunk for chunk in everything if chunk.audio.size]
    assert pitch(chunks[0].audio) == pytest.approx(1_000, abs=25)
    assert pitch(sound(chunks[1:])) == pytest.approx(200, abs=3)


def test_another_seed_sounds_different(triton: Triton) -> None:
    one, two = (sound(spoken(triton, voice={"seed": seed})) for seed in (1, 2))
    assert not np.array_equal(one, two)
    assert np.array_equal(one, sound(spoken(triton, voice={"seed": 1})))


def test_the_first_piece_is_one_frame_and_comes_before_the_rest_is_made(triton: Triton) -> None:
    word = uuid4().hex
    chunks = triton.speak(MODEL, f"{SENTENCE} {word}", voice=instructed(delay=0.1))
    first = next(chunk for chunk in chunks if chunk.audio.size)
    assert first.audio.size == FRAME
    ((closed, _),) = reported(triton, word)
    assert not closed, "tens of tenths of a second follow, each after one"
    *_, last = chunks
    assert last.marks
    assert not last.audio.size


def test_the_whole_comes_in_order(triton: Triton) -> None:
    """A hum without a seam: nothing is missing or twice."""
    heard = sound(spoken(triton, SENTENCE * 10, reference=reference(240))).astype(np.float64)
    expected = 8_000 * np.sin(2 * np.pi * 240 * (np.arange(heard.size) + 4_200) / RATE)  # the seed is 42
    assert heard.size % FRAME == 0
    assert np.abs(heard - expected).max() < 2


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"voice": {"preset": "nobody"}}, "no preset 'nobody': high, low"),
        ({"voice": {"preset": 3}}, r"Expected `str.*preset"),
        ({"voice": {"pitch": 3}}, "unknown field `pitch`"),
        ({"voice": {"temperature": -0.1}}, "temperature"),
        ({"voice": {"temperature": 2.1}}, "temperature"),
        ({"voice": {"top_p": 0}}, "top_p"),
        ({"voice": {"top_p": 1.1}}, "top_p"),
        ({"voice": {"top_k": 0}}, "top_k"),
        ({"voice": {"top_k": 1.5}}, "top_k"),
        ({"voice": {"seed": -1}}, "seed"),
        ({"voice": {"seed": 2**31}}, "seed"),
        ({"voice": {"instructions": "x" * 2_001}}, "instructions"),
        ({"voice": {"preset": "low"}, "reference": reference(200)}, "not both"),
        ({"reference": reference(200, text=None)}, "reference_text is missing"),
        ({"reference": reference(200, text=" ")}, "reference_text is missing"),
        ({"reference": reference(200, seconds=0.4)}, r"0\.40 s long: it must last between 0\.5 and 60 s"),
        ({"reference": reference(200, 8_000, seconds=61)}, r"61\.00 s long"),
        ({"reference": Reference(np.zeros(RATE, np.int16), RATE, "silence")}, "silent"),
        ({"reference": reference(200, 7_999)}, "8000 and 192000"),
        ({"reference": Reference(np.zeros(0, np.int16), RATE, "nothing")}, "samples"),
        ({"previous": reference(200, text=None)}, "previous_text is missing"),
        ({"previous": reference(200, seconds=0.4)}, "previous_audio"),
        ({"previous": reference(200, 200_000)}, "previous_rate"),
        ({"lexicon": {"a": "b"}}, "no lexicon"),
        ({"voice": {"instructions": "{refuse}"}}, "refuses when asked to"),
    ],
)
def test_bad_input_is_refused_with_what_to_change(triton: Triton, more: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        spoken(triton, **more)


@pytest.mark.parametrize("model", ["espeak", "hum", "kokoro"])
def test_models_that_do_not_go_on_from_what_was_before_say_so(triton: Triton, model: str) -> None:
    with pytest.raises(InvalidRequest, match="previous"):
        list(triton.speak(model, "Hello.", previous=reference(200)))


@pytest.mark.parametrize(
    ("orders", "reason"),
    [
        ("{fail_after=3}", "RuntimeError: the fake engine fails when asked to"),
        ("{lose=2}", "out of order: 3 in place of 2"),
        ("{lose=0}", "out of order: 1 in place of 0"),
        ("{odd}", "out of order"),
    ],
)
def test_what_goes_wrong_in_the_engine_is_told_and_only_its_request_ends(
    triton: Triton, orders: str, reason: str
) -> None:
    other = triton.speak(MODEL, SENTENCE, voice=instructed(delay=0.02))
    next(other)
    with pytest.raises(ModelFailure, match=reason):
        spoken(triton, voice={"instructions": orders})
    assert sound(list(other)).size > 4 * RATE


def test_the_last_message_is_missed_too(triton: Triton) -> None:
    text = "Thirteen frames"  # 1.5 s: one frame, and 15 chunks, of which the last is short
    whole = len(range(0, sound(spoken(triton, text)).size - FRAME, RATE // 10))
    with pytest.raises(ModelFailure, match=f"{whole} messages with audio came of {whole + 1}"):
        spoken(triton, text, voice={"instructions": f"{{lose={whole}}}"})


def test_a_voice_that_never_ends_is_cut_and_that_is_a_failure(triton: Triton) -> None:
    chunks = []
    with pytest.raises(ModelFailure, match=r"had not come to the end of the text after \d+ frames"):  # noqa: PT012
        for chunk in triton.speak(MODEL, SENTENCE, voice={"instructions": "{endless}"}):
            chunks.append(chunk)  # noqa: PERF402 - a list would not have what came before the error
    frames = sound(chunks).size // FRAME
    assert 25 * len(SENTENCE) / 10 < frames < 25 * len(SENTENCE)


def test_a_deadline_ends_it_in_the_engine_too(triton: Triton, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lectern.triton.sync.DEADLINE_GRACE", 30.0)  # it is the model that says so
    word = uuid4().hex
    with pytest.raises(Busy, match="deadline of 3000 ms passed after 0"):
        spoken(triton, f"{SENTENCE} {word}", voice=instructed(delay=0.5), deadline=3)
    assert len(steps_after(triton, word, time.monotonic())) == 1


def reported(triton: Triton, word: str, left: float = 0.0) -> list[tuple[bool, int]]:
    """For each slow request with this word: whether it is closed, and its steps after that time."""
    with pytest.raises(InvalidRequest) as report:
        spoken(triton, word, voice=instructed(steps_since=left))
    said = str(report.value)
    return [(closed, steps) for closed, steps in json.loads(said[said.index("[") :])]


def steps_after(triton: Triton, word: str, left: float) -> list[int]:
    """For each slow request with this word, once all are closed."""
    closed = until(lambda: reported(triton, word, left), lambda found: all(closed for closed, _ in found))
    return [steps for _, steps in closed]


Leave = Callable[[AsyncTriton, str, Callable[[], object]], Awaitable[float]]


async def cancel(triton: AsyncTriton, text: str, _: Callable[[], object]) -> float:
    """Asks the model to end it, as our client does."""
    async with aclosing(triton.speak(MODEL, text, voice=instructed(hold_after=1))) as chunks:
        async for chunk in chunks:
            if chunk.audio.size:
                return time.monotonic()
    raise AssertionError("it was not held")


async def cancel_before_the_first_sound(triton: AsyncTriton, text: str, begun: Callable[[], object]) -> float:
    async with aclosing(triton.speak(MODEL, text, voice=instructed(hold_after=0))) as chunks:
        first = asyncio.ensure_future(anext(chunks))
        await asyncio.to_thread(begun)
        left = time.monotonic()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        return left


@pytest.mark.parametrize("leave", [cancel, cancel_before_the_first_sound])
def test_a_client_that_leaves_ends_the_engines_work_within_100_ms(triton: Triton, leave: Leave) -> None:
    """By the engine's own steps of 10 ms, as in `tests/integration/test_cancellation.py`."""

    async def left(word: str) -> float:
        async with AsyncTriton(triton.address) as client:
            begun = partial(until, lambda: reported(triton, word), bool)
            return await leave(client, f"This takes a very long time, {word}.", begun)

    most = []
    for _ in range(TRIES):
        word = uuid4().hex
        (steps,) = steps_after(triton, word, asyncio.run(left(word)))
        most.append(steps)
    assert min(most) <= STEPS, most


def test_more_than_the_engine_takes_waits_its_turn(triton: Triton) -> None:
    async def story() -> list[int]:
        async def one(client: AsyncTriton) -> int:
            return sum(
                [chunk.audio.size async for chunk in client.speak(MODEL, SENTENCE, voice=instructed(delay=0.01))]
            )

        async with AsyncTriton(triton.address) as client:
            return await asyncio.gather(*(one(client) for _ in range(12)))

    assert len(set(asyncio.run(story()))) == 1

"""The engine on plain transformers: what it says, how it ends, and that nothing else changes it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoProcessor, HiggsAudioV2ForConditionalGeneration

from lectern_triton.higgs_engine.codec import Codec
from lectern_triton.higgs_engine.driver import BadRequest, OutOfFrames
from lectern_triton.higgs_engine.messages import FRAME, Recording
from lectern_triton.higgs_engine.pcm import SCALE
from lectern_triton.higgs_engine.transformers.driver import TransformersDriver
from tests.higgs.engine.driving import (
    AS_ASKED,
    HIGH,
    LOW,
    PLENTY,
    SCENE,
    Watched,
    chunks,
    load_tiny,
    request,
    samples,
    sampling,
    speak,
)
from tests.higgs.engine.test_prompt_v2 import by_processor
from tests.higgs.random_v2 import Checkpoint
from tests.higgs.recordings import tone

BLOCKS = [
    "It was a dark night.", "The rain fell.", "Nobody spoke.", "“Who is there?”", "A door: it opened, slowly.",
    "Then nothing.", "He counted to ten.", "1, 2, 3 …", "The lamp went out.", "And so it ended.",
]  # fmt: skip


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("references")


@pytest.fixture(scope="module")
def driver(checkpoint: Checkpoint, references: Path) -> Iterator[TransformersDriver]:
    driver = load_tiny(checkpoint, references)
    yield driver
    asyncio.run(driver.close())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_stream_is_what_the_library_makes_whole(
    checkpoint: Checkpoint, driver: TransformersDriver, seed: int
) -> None:
    processor = AutoProcessor.from_pretrained(checkpoint.model)
    model = HiggsAudioV2ForConditionalGeneration.from_pretrained(checkpoint.model, dtype=torch.float32)
    given = by_processor(processor, "The same text.", SCENE, [(HIGH.text, HIGH.samples)])
    torch.manual_seed(seed)
    rows = model.generate(**given, do_sample=True, temperature=0.8, top_p=0.95, top_k=50, max_new_tokens=PLENTY)
    whole = processor.batch_decode(rows)[0].detach().numpy()

    made = asyncio.run(chunks(driver, request("The same text.", sampling=sampling(seed=seed))))
    streamed = samples(made) / SCALE
    assert len(streamed) == len(whole)
    # Rounding, which grows in a random codec: `test_windows` has the same without it.
    assert np.abs(streamed - whole).max() < 1e-3 * np.abs(whole).max()


def test_the_first_piece_is_small_and_comes_while_the_model_speaks(
    driver: TransformersDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(driver, monkeypatch)

    async def story() -> None:
        speech = driver.speak(request())
        assert len(await anext(speech)) == 4 * FRAME * 2
        assert not watched.ended.is_set()
        await speech.aclose()

    asyncio.run(story())


def test_a_seed_makes_the_same_audio_and_another_one_other_audio(driver: TransformersDriver) -> None:
    one, again = speak(driver, request()), speak(driver, request())
    assert np.array_equal(one, again)
    assert not np.array_equal(one, speak(driver, request(sampling=sampling(seed=8))))


def test_two_references_make_two_voices(driver: TransformersDriver) -> None:
    high, low = speak(driver, request(reference=HIGH)), speak(driver, request(reference=LOW))
    assert not np.array_equal(high, low)
    assert np.array_equal(high, speak(driver, request(reference=HIGH)))


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "Another text."},
        {"scene": "A crowded street."},
        {"previous": Recording(tone(200, 1), "The block before.")},
        {"sampling": sampling(temperature=1.5)},
        {"sampling": sampling(top_k=5)},
        {"sampling": sampling(top_p=0.3)},
    ],
    ids=["text", "scene", "previous", "temperature", "top_k", "top_p"],
)
def test_what_is_asked_for_counts(driver: TransformersDriver, changes: dict[str, Any]) -> None:
    assert not np.array_equal(
        speak(driver, request(max_frames=40)), speak(driver, request(**{"max_frames": 40, **changes}))
    )


def test_no_temperature(driver: TransformersDriver) -> None:
    one, again, drawn = (
        speak(driver, request(sampling=sampling(temperature=temperature), max_frames=20)) for temperature in (0, 0, 0.8)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, drawn)


def test_it_ends_when_the_model_does_and_no_later_than_it_may(driver: TransformersDriver) -> None:
    async def frames(most: int) -> tuple[int, bool]:
        made = 0
        try:
            async for chunk in driver.speak(request(max_frames=most)):
                made += len(chunk) // (2 * FRAME)
        except OutOfFrames:
            return made, False
        return made, True

    async def story() -> None:
        own, complete = await frames(PLENTY)
        assert complete
        assert await frames(own) == (own, True)
        assert await frames(own - 1) == (own - 1, False)
        assert await frames(5) == (5, False)
        assert await frames(1) == (1, False)

    asyncio.run(story())


def test_leaving_ends_the_work_at_the_next_row(driver: TransformersDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = speak(driver, request())
    watched = Watched(driver, monkeypatch)

    async def story() -> None:
        speech = driver.speak(request())
        await anext(speech)
        await speech.aclose()
        at_that_time = watched.rows
        assert await asyncio.to_thread(watched.ended.wait, 10)
        assert watched.rows <= at_that_time + 2

    asyncio.run(story())
    assert watched.rows < len(whole) / FRAME
    assert np.array_equal(speak(driver, request()), whole)


def test_cancelling_ends_the_work_too(driver: TransformersDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(driver, monkeypatch)

    async def story() -> None:
        begun = asyncio.Event()

        async def read() -> None:
            async for _ in driver.speak(request()):
                begun.set()

        reader = asyncio.create_task(read())
        await begun.wait()
        reader.cancel()
        await asyncio.wait([reader])
        at_that_time = watched.rows
        assert reader.cancelled()
        assert await asyncio.to_thread(watched.ended.wait, 10)
        assert watched.rows <= at_that_time + 2

    asyncio.run(story())


def test_who_leaves_before_its_turn_never_has_it(driver: TransformersDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []

    def talk(prompt: Any, drawn: Any, most: int, tell: Any, stop: Event) -> None:  # noqa: ARG001 - as the talker's
        begun.append(drawn.seed)
        assert stop.wait(20)  # the first goes on until it is left

    monkeypatch.setattr(driver._talker, "talk", talk)

    async def story() -> None:
        first, second, third = (
            asyncio.create_task(chunks(driver, request(sampling=sampling(seed=seed)))) for seed in (1, 2, 3)
        )
        async with asyncio.timeout(60):
            while driver._turns._work_queue.qsize() < 2:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        for task in (second, first, third):
            task.cancel()
        await asyncio.wait([first, second, third])

    asyncio.run(story())
    driver._turns.submit(lambda: None).result(20)  # whatever was before this is over
    assert begun in ([1], [1, 3])  # the third may begin, and end, before it is left


def test_blocks_sound_alike_in_any_order_and_company(driver: TransformersDriver) -> None:
    asked = [
        request(text, id=number, reference=(HIGH, LOW)[number % 2], max_frames=40 + number)
        for number, text in enumerate(BLOCKS)
    ]
    alone = [speak(driver, each) for each in asked]

    async def together(order: list[int]) -> dict[int, list[bytes]]:
        made = await asyncio.gather(*(chunks(driver, asked[number]) for number in order))
        return dict(zip(order, made, strict=True))

    for order in (list(reversed(range(10))), [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]):
        made = asyncio.run(together(order))
        for number, expected in enumerate(alone):
            assert np.array_equal(samples(made[number]), expected), f"block {number} in {order}"


def test_new_references_meanwhile_change_nothing(driver: TransformersDriver) -> None:
    alone = speak(driver, request())

    async def story() -> list[bytes]:
        speaking = asyncio.create_task(chunks(driver, request()))
        others = 0
        while not speaking.done():
            others += 1
            await driver._references.codes(tone(100 + others, 1), keep=False)
        assert others > 1
        return await speaking

    assert np.array_equal(samples(asyncio.run(story())), alone)


def test_encoding_draws_nothing(checkpoint: Checkpoint) -> None:
    codec = Codec(checkpoint.codec, "cpu")
    state = torch.get_rng_state()
    codec.encode(HIGH.samples)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_reference_is_encoded_once(checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    encode = Codec.encode
    monkeypatch.setattr(Codec, "encode", lambda codec, given: calls.append(given) or encode(codec, given))
    heard = []
    for _ in range(2):  # the second finds it on disk
        driver = load_tiny(checkpoint, tmp_path, warm_up=False)
        heard += [speak(driver, request(text)) for text in ("One.", "Two.")]
        asyncio.run(driver.close())
    assert calls == [HIGH.samples]
    assert np.array_equal(heard[0], heard[2])
    assert np.array_equal(heard[1], heard[3])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"reference": Recording(HIGH.samples, "")}, "text"),
        ({"reference": Recording(HIGH.samples[: 2 * 1_000], "Short.")}, "seconds"),
        ({"text": "word " * 500, "max_frames": 3_000}, "shorter"),
    ],
    ids=["no text", "too short", "too long"],
)
def test_what_cannot_be_spoken(driver: TransformersDriver, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        speak(driver, request(**changes))


def test_a_failure_of_the_model_is_told(driver: TransformersDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patched:
        patched.setattr(driver._talker, "talk", fail)
        with pytest.raises(RuntimeError, match="out of memory"):
            speak(driver, request())
    assert speak(driver, request()).size


def test_closing_ends_what_is_spoken(checkpoint: Checkpoint, references: Path) -> None:
    async def story() -> None:
        driver = load_tiny(checkpoint, references, warm_up=False)
        speech = driver.speak(request())
        await anext(speech)
        await driver.check()
        await driver.close()
        await speech.aclose()

    asyncio.run(asyncio.wait_for(story(), 20))


def test_the_start_tells_its_phases(checkpoint: Checkpoint, references: Path) -> None:
    phases = []

    @contextmanager
    def phase(name: str) -> Iterator[None]:
        yield
        phases.append(name)

    driver = load_tiny(checkpoint, references, phase)
    assert phases == ["imports", "codec", "tokenizer", "weights", "warm-up"]
    assert (driver.ready.family, driver.ready.streams, driver.ready.seeds) == ("v2", True, True)
    asyncio.run(driver.close())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"model": "nowhere"}, "make higgs"),
        ({"gpu_memory_utilization": 0.6}, "gpu_memory_utilization"),
        ({"dtype": "int3"}, "dtype"),
    ],
)
def test_arguments_that_are_wrong(checkpoint: Checkpoint, tmp_path: Path, arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        load_tiny(checkpoint, tmp_path, **arguments)


def test_asked_as_usual() -> None:
    assert sampling() == AS_ASKED

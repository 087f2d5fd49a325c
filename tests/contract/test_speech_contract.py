"""What every voice model in Triton keeps to: chunks, marks, speed, refusals, lanes, deadlines, cancellation."""

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest

import lectern_contract as contract
from lectern.triton import AsyncTriton, Busy, Chunk, InvalidRequest, TritonError

MODELS = ("espeak", "hum", "kokoro", "higgs")
# A voice of each model that is slow enough to be interrupted in the middle of a long text.
SLOW: dict[str, dict[str, Any]] = {
    "espeak": {"voice": {}, "speed": 0.5},
    "hum": {"voice": {"hertz": 220, "delay": 0.02}},
    "kokoro": {},
    "higgs": {"voice": {"instructions": "{delay=0.02}"}},
}
SENTENCE = "The old lighthouse keeper climbed one hundred and twelve steps every evening. "
LONG = (SENTENCE * 30)[: contract.MAX_TEXT]

Story = Callable[[AsyncTriton], Awaitable[None]]


@pytest.fixture
def tell(triton_address: str) -> Callable[[Story], None]:
    """Runs a story with a client, and then sees that the models still speak."""

    async def whole(story: Story) -> None:
        async with AsyncTriton(triton_address) as triton:
            await story(triton)
            for model in MODELS:
                assert (await triton.probe(model, timeout=30)).samples

    return lambda story: asyncio.run(whole(story))


every_model = pytest.mark.parametrize("model", MODELS)


async def spoken(triton: AsyncTriton, model: str, text: str, **more: Any) -> list[Chunk]:
    return [chunk async for chunk in triton.speak(model, text, **more)]


def samples(chunks: list[Chunk]) -> int:
    return sum(chunk.audio.size for chunk in chunks)


def longest_silence(chunks: list[Chunk]) -> int:
    """Returns the most samples between two that can be heard."""
    audio = np.concatenate([chunk.audio for chunk in chunks]).astype(np.int32)
    return int(np.diff(np.flatnonzero(np.abs(audio) > 0.01 * np.abs(audio).max())).max())


@every_model
def test_the_card_says_what_the_model_is(tell: Any, model: str) -> None:
    async def story(triton: AsyncTriton) -> None:
        card = await triton.card(model)
        assert card.sample_rate in (22_050, 24_000)
        assert card.speeds[0] <= 1 <= card.speeds[1]
        names = [voice.name for voice in card.voices]
        assert names
        assert len(set(names)) == len(names)
        (chunk, *_) = await spoken(triton, model, "Hello there.", voice=card.voices[0].voice)
        assert chunk.sample_rate == card.sample_rate

    tell(story)


@every_model
def test_a_long_text_comes_in_chunks_of_which_the_first_is_small(tell: Any, model: str) -> None:
    async def story(triton: AsyncTriton) -> None:
        chunks = [chunk for chunk in await spoken(triton, model, LONG) if chunk.audio.size]
        assert len(chunks) > 3
        assert len({chunk.sample_rate for chunk in chunks}) == 1
        assert chunks[0].audio.size <= 0.2 * chunks[0].sample_rate
        assert all(chunk.audio.dtype == np.int16 for chunk in chunks)

    tell(story)


@every_model
@pytest.mark.parametrize(
    "text",
    [
        "Hello there.",
        "The was of the and to a, in it is; that he for on are as.",
        "It cost $3.50 on 12/03/1999, or 50% more than 1,234,567!",
        "“Quoted” — and (bracketed) – words… don't break.",
        "A party 🎉 with a 👩\u200d💻.",
        "Line one\n\nline two\tand more",
    ],
)
def test_marks_name_every_word_in_order_inside_the_audio(tell: Any, model: str, text: str) -> None:
    async def story(triton: AsyncTriton) -> None:
        chunks = await spoken(triton, model, text)
        marks = [mark for chunk in chunks for mark in chunk.marks]
        heard = read = 0
        for mark in marks:
            assert heard <= mark.first_sample <= mark.last_sample <= samples(chunks)
            assert read <= mark.text_start < mark.text_end <= len(text)
            heard, read = mark.last_sample, mark.text_end
        marked = {position for mark in marks for position in range(mark.text_start, mark.text_end)}
        assert {position for position, character in enumerate(text) if character.isalnum()} <= marked

    tell(story)


@every_model
def test_text_in_decomposed_letters_is_spoken_as_the_composed_is_with_marks_on_what_was_sent(
    tell: Any, model: str
) -> None:
    composed = "Er hält naïve Gäste im café auf."
    sent = unicodedata.normalize("NFD", composed)

    async def story(triton: AsyncTriton) -> None:
        one, other = await spoken(triton, model, composed), await spoken(triton, model, sent)
        assert samples(other) == pytest.approx(samples(one), abs=20)  # espeak's vary a little
        words = [
            [text[mark.text_start : mark.text_end] for chunk in chunks for mark in chunk.marks]
            for text, chunks in ((composed, one), (sent, other))
        ]
        assert words[1] == [unicodedata.normalize("NFD", word) for word in words[0]]
        assert "ha\u0308lt" in words[1]

    tell(story)


@every_model
@pytest.mark.parametrize("speed", [0.25, 0.5, 0.9, 1.5, 2.0, 4.0])
def test_speed_divides_the_duration(tell: Any, model: str, speed: float) -> None:
    async def story(triton: AsyncTriton) -> None:
        normal = samples(await spoken(triton, model, SENTENCE * 2))
        assert samples(await spoken(triton, model, SENTENCE * 2, speed=speed)) == pytest.approx(normal / speed, rel=0.1)

    tell(story)


@every_model
@pytest.mark.parametrize("speed", [0.25, 4.0])
def test_a_speed_that_is_not_the_models_own_is_refused(tell: Any, model: str, speed: float) -> None:
    async def story(triton: AsyncTriton) -> None:
        with pytest.raises(InvalidRequest, match="stretch its audio for the rest"):
            await spoken(triton, model, SENTENCE, speed=speed, speeds=(0.25, 4.0))

    tell(story)


@every_model
@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("", {}),
        ("  \n ", {}),
        ("... — !", {}),
        ("a" * (contract.MAX_TEXT + 1), {}),
        ("bell\x07", {}),
        ("null\x00", {}),
        ("Hello.", {"speed": 0.0}),
        ("Hello.", {"speed": -1.0}),
        ("Hello.", {"speed": 4.5}),
        ("Hello.", {"speed": float("nan")}),
        ("Hello.", {"speed": float("inf")}),
        ("Hello.", {"language": "not a language"}),
        ("Hello.", {"language": ""}),
        ("Hello.", {"lane": "express"}),
    ],
)
def test_bad_input_is_refused_with_a_sentence(tell: Any, model: str, text: str, more: dict[str, Any]) -> None:
    async def story(triton: AsyncTriton) -> None:
        with pytest.raises(InvalidRequest) as refused:
            await spoken(triton, model, text, **more)
        assert len(str(refused.value)) > 20

    tell(story)


@every_model
def test_a_lexicon_is_obeyed_or_refused(tell: Any, model: str) -> None:
    async def story(triton: AsyncTriton) -> None:
        lexicon = {"Hello": "həlˈO ðˈɛɹ ənd wˈɛlkəm"}
        if (await triton.card(model)).lexicon:
            plain = samples(await spoken(triton, model, "Hello."))
            assert samples(await spoken(triton, model, "Hello.", lexicon=lexicon)) > 1.5 * plain
            lexicon = {"Hello": "Ж"}
        with pytest.raises(InvalidRequest) as refused:
            await spoken(triton, model, "Hello.", lexicon=lexicon)
        assert len(str(refused.value)) > 20

    tell(story)


@every_model
def test_markup_is_obeyed_or_refused(tell: Any, model: str) -> None:
    async def story(triton: AsyncTriton) -> None:
        card = await triton.card(model)
        if card.markup:
            made = await spoken(triton, model, "One. [pause:2s] Two.", markup=True)
            assert longest_silence(made) == pytest.approx(2 * card.sample_rate, rel=0.1)
        else:
            with pytest.raises(InvalidRequest, match="leave it out"):
                await spoken(triton, model, "One. [pause:2s] Two.", markup=True)
        assert samples(await spoken(triton, model, "One. [pause:2s] Two.", markup=False))

    tell(story)


@every_model
def test_several_segments_are_spoken_at_once(tell: Any, model: str) -> None:
    """Each of two streams has begun before either has ended."""

    async def story(triton: AsyncTriton) -> None:
        both_began = asyncio.Barrier(2)

        async def one() -> int:
            count = 0
            async with aclosing(triton.speak(model, SENTENCE, **SLOW[model])) as chunks:
                async for chunk in chunks:
                    if chunk.audio.size and not count:  # an empty chunk only says that the request is not lost
                        await asyncio.wait_for(both_began.wait(), 30)
                    count += chunk.audio.size
            return count

        assert all(await asyncio.gather(one(), one()))

    tell(story)


@every_model
def test_a_client_that_leaves_frees_the_model(tell: Any, model: str) -> None:
    """Far more work than the model does in this time is begun and left; what comes then is spoken soon."""

    async def story(triton: AsyncTriton) -> None:
        async def one() -> None:
            async with aclosing(triton.speak(model, LONG, **SLOW[model])) as chunks:
                async for _ in chunks:
                    return

        async with asyncio.TaskGroup() as tasks:
            for _ in range(60):
                tasks.create_task(one())
        async with asyncio.timeout(60):
            await spoken(triton, model, "Hello there.")

    tell(story)


def occupy(
    triton: AsyncTriton, count: int, lane: contract.Lane, model: str = "espeak"
) -> list[asyncio.Task[list[Chunk]]]:
    return [asyncio.create_task(spoken(triton, model, LONG, lane=lane, **SLOW[model])) for _ in range(count)]


async def gather_all(requests: list[asyncio.Task[list[Chunk]]]) -> list[list[Chunk] | BaseException]:
    return await asyncio.gather(*requests, return_exceptions=True)


@pytest.mark.parametrize("model", ["espeak", "kokoro"])
def test_live_overtakes_batch(tell: Any, model: str) -> None:
    async def story(triton: AsyncTriton) -> None:
        batch = occupy(triton, 24, "batch", model)
        # Of espeak one is spoken after the other; kokoro speaks all at once, a sentence of each in turn.
        done: set[Any] = set()
        if model == "espeak":
            done, _ = await asyncio.wait(batch, return_when=asyncio.FIRST_COMPLETED)
        await spoken(triton, model, "Hello there.", lane="live")
        waiting = [request for request in batch if not request.done()]
        assert len(waiting) > 8, (
            f"the live request waited for {24 - len(waiting)} of 24 batch requests, {len(done)} before"
        )
        for request in waiting:
            request.cancel()
        await gather_all(batch)

    tell(story)


def test_a_full_queue_refuses_at_once_and_what_waits_is_spoken(tell: Any) -> None:
    async def story(triton: AsyncTriton) -> None:
        requests = [asyncio.create_task(spoken(triton, "espeak", SENTENCE * 6)) for _ in range(200)]
        answers = await gather_all(requests)
        refused = [answer for answer in answers if isinstance(answer, Busy)]
        assert refused
        assert all("queue is full" in str(answer) for answer in refused)
        whole = [samples(answer) for answer in answers if isinstance(answer, list)]
        assert len(whole) + len(refused) == len(answers)
        assert len(whole) >= 64
        assert min(whole) > 0.95 * max(whole)

    tell(story)


def test_a_deadline_that_passes_in_the_queue_or_while_speaking_is_told(
    tell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lectern.triton.aio.DEADLINE_GRACE", 30.0)  # it is the model that says so

    async def story(triton: AsyncTriton) -> None:
        batch = occupy(triton, 16, "batch")
        await asyncio.wait(batch, return_when=asyncio.FIRST_COMPLETED)
        with pytest.raises(Busy, match="deadline of 50 ms passed"):
            await spoken(triton, "espeak", LONG, lane="batch", deadline=0.05)
        for request in batch:
            request.cancel()
        await gather_all(batch)
        with pytest.raises(Busy, match="deadline of 300 ms passed after 0"):
            await spoken(triton, "hum", LONG, voice={"hertz": 220, "delay": 0.05}, deadline=0.3)

    tell(story)


def test_a_voice_that_fails_is_an_error_after_its_chunks(tell: Any) -> None:
    async def story(triton: AsyncTriton) -> None:
        chunks = []
        with pytest.raises(TritonError, match="fails when asked to"):  # noqa: PT012
            async for chunk in triton.speak("hum", LONG, voice={"hertz": 220, "fail_after": 3}):
                chunks += [chunk] if chunk.audio.size else []  # what came before the error counts
        assert len(chunks) == 3

    tell(story)

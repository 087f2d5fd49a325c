"""Kokoro in Triton: one model for many requests, each answered as if it were alone."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from tritonclient.grpc.aio import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

from lectern.triton import AsyncTriton, Chunk, InvalidRequest
from tests import kokoro
from tests.contract.secret_plugin import SecretPlugin

Story = Callable[[AsyncTriton], Awaitable[None]]
Outputs = tuple[Any, int, Any]

WIDTH = 64


@pytest.fixture
def tell(triton_address: str) -> Callable[[Story], None]:
    async def whole(story: Story) -> None:
        async with AsyncTriton(triton_address) as triton:
            await story(triton)

    return lambda story: asyncio.run(whole(story))


async def spoken(triton: AsyncTriton, text: str, **more: Any) -> list[Chunk]:
    return [chunk async for chunk in triton.speak("kokoro", text, **more)]


def audio(chunks: list[Chunk]) -> Any:
    return np.concatenate([chunk.audio for chunk in chunks])


def test_the_card_has_all_voices_that_are_installed(tell: Any) -> None:
    async def story(triton: AsyncTriton) -> None:
        card = await triton.card("kokoro")
        assert [voice.name for voice in card.voices] == list(kokoro.VOICES)
        assert {voice.language for voice in card.voices} == {"en-US", "en-GB", "es", "zh"}
        heart = card.voices[0]
        assert (heart.gender, heart.grade) == ("female", "A")
        assert (card.mixes, card.markup, card.lexicon, card.default_voice) == (True, True, True, "af_heart")
        assert card.version == kokoro.version()

    tell(story)


def test_the_same_request_gives_the_same_samples(tell: Any) -> None:
    async def story(triton: AsyncTriton) -> None:
        text = "The same words, in the same voice. They sound the same each time."
        assert np.array_equal(audio(await spoken(triton, text)), audio(await spoken(triton, text)))

    tell(story)


def test_a_mix_sounds_like_none_of_its_voices(tell: Any) -> None:
    async def story(triton: AsyncTriton) -> None:
        choices: list[dict[str, Any]] = [
            {"voice": "af_heart"}, {"voice": "af_sky"}, {"mix": {"af_heart": 2, "af_sky": 1}},
            {"mix": {"af_heart": 1, "af_sky": 2}},
        ]  # fmt: skip
        made = [audio(await spoken(triton, "Hello there.", voice=choice)) for choice in choices]
        for number, one in enumerate(made):
            assert not any(np.array_equal(one, other) for other in made[:number])
        scaled = audio(await spoken(triton, "Hello there.", voice={"mix": {"af_heart": 20, "af_sky": 10}}))
        assert np.array_equal(scaled, made[2])

    tell(story)


@pytest.mark.parametrize(
    ("voice", "language", "like"),
    [
        ("bf_emma", None, "en-GB"),
        ("bf_emma", "en", "en-GB"),
        ("af_heart", "en-GB", "en-GB"),
        ("ef_dora", "en", "en-US"),
    ],
)
def test_the_language_is_asked_for_or_the_voices_own(tell: Any, voice: str, language: str | None, like: str) -> None:
    async def story(triton: AsyncTriton) -> None:
        text = "tomato 12"
        choice = {"voice": voice}
        one = audio(await spoken(triton, text, voice=choice, language=language))
        assert np.array_equal(one, audio(await spoken(triton, text, voice=choice, language=like)))

    tell(story)


def test_a_pause_that_is_asked_for_is_silence(tell: Any) -> None:
    async def story(triton: AsyncTriton) -> None:
        chunks = await spoken(triton, "One. [pause:2s] Two.", markup=True)
        one, two = (mark for chunk in chunks for mark in chunk.marks)
        assert two.first_sample - one.last_sample > 2 * 24_000
        silence = audio(chunks)[one.last_sample : two.first_sample]
        assert (silence == 0).sum() >= 2 * 24_000

    tell(story)


@pytest.mark.parametrize("text", ["[pause:1s]", "[pause:10s]", "Hi [pause:10s][pause:10s]"])
def test_pauses_do_not_make_a_text_implausible(tell: Any, text: str) -> None:
    async def story(triton: AsyncTriton) -> None:
        assert audio(await spoken(triton, text, markup=True)).size >= 24_000

    tell(story)


@pytest.mark.parametrize(
    "text",
    [
        "Read [our blog](/blog/) today for all the news we have.",
        "Meet [our team](/team/) today.",
        "Wait [pause:1s] here, or [pause:1h] there.",
        "[pause:1s]",
        "[Hi](/Ж/)",
    ],
)
def test_what_looks_like_markup_is_words_unless_markup_is_asked_for(tell: Any, text: str) -> None:
    async def story(triton: AsyncTriton) -> None:
        chunks = await spoken(triton, text)
        marked = {at for chunk in chunks for mark in chunk.marks for at in range(mark.text_start, mark.text_end)}
        assert {at for at, sign in enumerate(text) if sign.isalnum()} <= marked
        assert audio(chunks).size < 20 * 24_000

    tell(story)


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        ("Hi", {"language": "de"}, "does not speak 'de'"),
        ("Hi", {"voice": {"voice": "nobody"}}, "nobody"),
        ("Hi", {"voice": {"mix": {"af_heart": -1}}}, "above 0"),
        ("Hi", {"voice": {"normalization": {"shouting": True}}}, "the switches are"),
        ("Hi [pause:1h]", {"markup": True}, "pause"),
        ("[Hi](/Ж/)", {"markup": True}, "U\\+0416"),
        ("ꦲꦏ꧀ꦱꦫꦗꦮ", {}, "knows no sound of this text"),
    ],
)
def test_bad_input_says_what_to_change(tell: Any, text: str, more: dict[str, Any], message: str) -> None:
    async def story(triton: AsyncTriton) -> None:
        with pytest.raises(InvalidRequest, match=message):
            await spoken(triton, text, **more)

    tell(story)


def sentences() -> list[tuple[Any, int, float, int]]:
    """Tokens, their number, a speed and an offset into the noise, of mixed lengths."""
    chance = np.random.default_rng(7)
    made = []
    for number in range(24):
        length = int(chance.integers(8, WIDTH + 1))
        tokens = np.zeros(WIDTH, np.int64)
        tokens[1 : length - 1] = chance.integers(43, 150, length - 2)
        made.append((tokens, length, float(chance.choice([0.8, 1.0, 1.3])), number * 1_000))
    return made


async def acoustic(client: InferenceServerClient, sentence: tuple[Any, int, float, int]) -> Outputs:
    tokens, length, speed, offset = sentence
    style = np.random.default_rng(length).normal(0, 0.3, 256).astype(np.float32)
    values = {
        "input_ids": tokens[None], "input_lengths": np.array([[length]]), "style": style[None],
        "speed": np.array([[speed]], np.float32), "noise_offset": np.array([[offset]]),
    }  # fmt: skip
    inputs = []
    for name, value in values.items():
        inputs.append(InferInput(name, value.shape, "FP32" if value.dtype == np.float32 else "INT64"))
        inputs[-1].set_data_from_numpy(value)
    answer = await client.infer("kokoro_acoustic", inputs)
    samples = int(answer.as_numpy("sample_lengths")[0, 0])
    return answer.as_numpy("waveform")[0, :samples], samples, answer.as_numpy("durations")[0]


async def executions(client: InferenceServerClient, at_least: int = 0) -> tuple[int, int]:
    """Returns how many requests the acoustic model has had, and how often it ran.

    Triton counts a batch after it has sent the batch's answers: who has all
    answers says ``at_least`` how many requests must be counted.
    """
    async with asyncio.timeout(60):
        while True:
            answer = await client.get_inference_statistics("kokoro_acoustic")
            (stats,) = answer.model_stats
            if stats.inference_count >= at_least:
                return int(stats.inference_count), int(stats.execution_count)
            await asyncio.sleep(0.02)


def test_merged_requests_give_what_each_gives_alone(triton_address: str) -> None:
    async def story() -> None:
        async with InferenceServerClient(triton_address) as client:
            client.register_plugin(SecretPlugin(triton_address))
            single = [await acoustic(client, sentence) for sentence in sentences()]
            before = await executions(client)
            together = await asyncio.gather(*(acoustic(client, sentence) for sentence in sentences()))
            after = await executions(client, at_least=before[0] + len(together))
        # There may be more requests than these: the stack proves now and then that the model speaks.
        requests, runs = (late - early for late, early in zip(after, before, strict=True))
        assert runs < requests
        errors = []
        for (alone, samples, durations), (merged, merged_samples, merged_durations) in zip(
            single, together, strict=True
        ):
            assert samples == merged_samples
            assert np.array_equal(durations, merged_durations)
            errors.append(np.abs(alone.astype(int) - merged.astype(int)).max())
        # Two steps of 16 bits; a pitch that lies between two of its own steps may fall to the other side.
        assert sum(error <= 2 for error in errors) >= 0.75 * len(errors), errors

    asyncio.run(story())


def test_concurrent_segments_are_merged(tell: Any, triton_address: str) -> None:
    async def story(triton: AsyncTriton) -> None:
        texts = [f"Number {number} of many requests speaks this sentence." for number in range(16)]
        async with InferenceServerClient(triton_address) as client:
            client.register_plugin(SecretPlugin(triton_address))
            before = await executions(client)
            await asyncio.gather(*(spoken(triton, text) for text in texts))
            after = await executions(client, at_least=before[0] + len(texts))
        requests, runs = (late - early for late, early in zip(after, before, strict=True))
        assert runs < requests

    tell(story)


@pytest.mark.parametrize(
    ("width", "length", "sign", "message"),
    [
        (WIDTH, WIDTH + 1, 50, "input_lengths holds 65: 2 to 64"),
        (WIDTH, 0, 50, "input_lengths holds 0"),
        (WIDTH, 20, 999, "input_ids holds 999"),
        (0, 2, 50, "input_ids has a width of 0: 2 to 512"),
        (513, 513, 50, "input_ids has a width of 513"),
    ],
)
def test_a_request_that_the_model_cannot_take_is_refused(
    triton_address: str, width: int, length: int, sign: int, message: str
) -> None:
    async def story() -> None:
        async with InferenceServerClient(triton_address) as client:
            client.register_plugin(SecretPlugin(triton_address))
            good = await acoustic(client, sentences()[0])
            with pytest.raises(InferenceServerException, match=message) as refused:
                await acoustic(client, (np.full(width, sign), length, 1.0, 0))
            assert refused.value.status() == "StatusCode.INVALID_ARGUMENT"
            assert np.array_equal((await acoustic(client, sentences()[0]))[0], good[0])

    asyncio.run(story())

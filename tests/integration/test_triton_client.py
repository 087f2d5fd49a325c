"""The direct clients against a real Triton: what only the server can show, such as its errors and cancellation."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing, closing
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from tritonclient.grpc import service_pb2 as pb

import lectern_contract as contract
from lectern.triton import (
    AsyncTriton,
    Busy,
    DeadlineExceeded,
    InvalidRequest,
    ModelFailure,
    NotFound,
    Reference,
    Triton,
    TritonError,
    codec,
)
from tests.integration import held

TEXT = "The quick brown fox jumps over the lazy dog."
SLOW = {"hertz": 220, "delay": 0.05}  # the hum model's: seconds before each chunk of 0.1 s
HOLDING = {"hertz": 220, "hold_at": 1}
FAILING = {"hertz": 220, "fail_after": 1}


@pytest.fixture
def triton(triton_address: str) -> Iterator[Triton]:
    with Triton(triton_address) as triton:
        yield triton


def test_speech_has_audio_and_a_mark_for_every_word(triton: Triton) -> None:
    chunks = list(triton.speak("espeak", TEXT))
    audio = np.concatenate([chunk.audio for chunk in chunks])
    rate = chunks[0].sample_rate
    assert 1.0 < audio.size / rate < 10.0
    assert np.abs(audio).max() > 1000
    marks = [mark for chunk in chunks for mark in chunk.marks]
    assert [TEXT[mark.text_start : mark.text_end].strip(".") for mark in marks] == TEXT.strip(".").split()
    assert all(0 <= mark.first_sample <= mark.last_sample <= audio.size for mark in marks)


def test_speed_reaches_the_model(triton: Triton) -> None:
    def samples(speed: float) -> int:
        return sum(chunk.audio.size for chunk in triton.speak("espeak", TEXT, speed=speed))

    assert samples(2.0) < 0.75 * samples(1.0)


def test_every_voice_of_the_card_speaks(triton: Triton) -> None:
    card = triton.card("hum")
    assert card.sample_rate == 24_000
    for voice in card.voices:
        if not {"fail_after", "hold_at"} & {*voice.voice} and voice.voice.get("delay", 0) < 0.1:
            assert list(triton.speak("hum", "hello", voice=voice.voice, language=voice.language))


def test_models_that_speak_are_known_by_their_tensors(triton: Triton) -> None:
    assert triton.server_ready()
    speaking = {model.name for model in triton.models() if model.speaks}
    assert {"espeak", "hum"} <= speaking
    for name in speaking:
        assert triton.probe(name, timeout=60).samples > 0


@pytest.mark.parametrize(
    ("model", "options", "kind"),
    [
        ("espeak", {"speed": 100.0}, InvalidRequest),
        ("espeak", {"voice": {"no such parameter": 1}}, InvalidRequest),
        ("hum", {"reference": Reference(np.zeros(10, np.int16), 16_000)}, InvalidRequest),
        ("hum", {"voice": FAILING}, ModelFailure),
        ("nowhere", {}, NotFound),
    ],
)
def test_errors_by_kind(triton: Triton, model: str, options: dict[str, Any], kind: type[TritonError]) -> None:
    with pytest.raises(TritonError) as raised:
        list(triton.speak(model, TEXT, **options))
    assert type(raised.value) is kind
    assert raised.value.model == model


def test_too_much_text_is_invalid(triton: Triton) -> None:
    with pytest.raises(InvalidRequest):
        list(triton.speak("espeak", "a " * contract.MAX_TEXT))


def test_what_triton_refuses_before_any_model_sees_it_is_invalid(triton: Triton) -> None:
    request = pb.ModelInferRequest(model_name="espeak")
    with closing(triton._connection.stream(request, 10)) as responses:
        (response,) = responses
    with pytest.raises(InvalidRequest, match="expected"):
        codec.ResponseReader("espeak").chunk(response)


def test_a_deadline_that_passes_in_the_model_is_its_answer(triton: Triton) -> None:
    with pytest.raises((Busy, DeadlineExceeded)):
        list(triton.speak("hum", "x" * 1000, voice=SLOW, deadline=0.3))


def test_a_model_can_be_loaded_and_unloaded(triton: Triton) -> None:
    """A model that nobody watches over: the stack would bring back one of its own."""
    triton.load("spare")
    try:
        assert triton.probe("spare", timeout=60).samples > 0
    finally:
        triton.unload("spare")
    with pytest.raises(NotFound):
        list(triton.speak("spare", TEXT))
    assert "spare" not in {model.name for model in triton.models() if model.ready}


def test_a_model_that_is_not_there_cannot_be_loaded(triton: Triton) -> None:
    with pytest.raises(NotFound):
        triton.load("nowhere")


def test_many_at_once_and_leaving_early(triton_address: str) -> None:
    """Streams that are left do not disturb those that are read."""

    async def scenario() -> None:
        async with AsyncTriton(triton_address) as triton:

            async def read() -> int:
                return sum([chunk.audio.size async for chunk in triton.speak("espeak", TEXT)])

            async def leave() -> int:
                async with aclosing(triton.speak("hum", "x" * 1000, voice=SLOW)) as chunks:
                    # Empty chunks, by which a model that is busy says that it is there, are no begin.
                    return await anext(chunk.audio.size async for chunk in chunks if chunk.audio.size)

            sizes = await asyncio.gather(*(read() for _ in range(6)), *(leave() for _ in range(6)))
            assert max(sizes[:6]) < 1.01 * min(sizes[:6])  # the engines' own states differ by a few samples
            assert all(sizes)

    asyncio.run(scenario())


def test_leaving_frees_the_model(triton: Triton) -> None:
    """The hum model goes on for ever here, unless it is stopped."""
    text = f"This is not heard to its end, {uuid4().hex}."
    for _ in range(3):
        with closing(triton.speak("hum", text, voice=HOLDING)) as chunks:
            next(chunks)
    held.until_all_stopped(triton, text, 3)
    assert triton.probe("hum", timeout=60).samples > 0

"""The official openai client for Python, unchanged: blocking and asynchronous, whole and streamed."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import openai
import pytest

from lectern.triton import Triton
from orchestrator.audio.formats import AUDIO_FORMATS
from tests.integration import held
from tests.integration.audio import decode
from tests.integration.metrics import metric
from tests.integration.openai_either import KINDS, Either, client_of
from tests.integration.servers import web_server
from tests.own_triton import until
from tests.stack import Stack

TEXT = "The kettle sang on the stove. Outside, the first snow of the year began to fall on the empty road."
LONG_TEXT = " ".join(f"This is sentence number {number} of a rather long story." for number in range(60))
SPEECH = {"model": "espeak", "voice": "en-us", "input": TEXT}
KOKORO = {"model": "kokoro", "voice": "af_heart", "input": "Hello there.", "response_format": "wav"}


@pytest.fixture(params=KINDS)
def client(request: pytest.FixtureRequest, stack: Stack) -> Either:
    return client_of(stack, request.param)


def seconds(data: bytes, response_format: str) -> float:
    if response_format == "pcm":
        return len(data) / 2 / 24_000
    samples, rate = decode(data)
    return len(samples) / rate


def events(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def audio_in(told: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(event["audio"]) for event in told if event["type"] == "speech.audio.delta")


@pytest.mark.parametrize("response_format", AUDIO_FORMATS)
def test_every_format_comes_whole_and_streamed(client: Either, response_format: str) -> None:
    whole = client.whole(**SPEECH, response_format=response_format)
    streamed = b"".join(client.chunks(**SPEECH, response_format=response_format))
    assert 3 < seconds(whole, response_format) < 10
    assert seconds(streamed, response_format) == pytest.approx(seconds(whole, response_format), abs=0.1)


def test_a_long_text_comes_in_pieces_by_openais_names_for_it(client: Either) -> None:
    parts = client.chunks(model="tts-1", voice="alloy", input=LONG_TEXT, response_format="pcm", speed=1.5)
    assert len(parts) > 10
    assert seconds(b"".join(parts), "pcm") > 30


def test_events_are_the_same_audio_and_its_usage(client: Either) -> None:
    told = events(client.lines(**SPEECH, response_format="pcm", stream_format="sse"))
    assert {event["type"] for event in told[:-1]} == {"speech.audio.delta"}
    assert audio_in(told) == client.whole(**SPEECH, response_format="pcm")
    usage = told[-1]["usage"]
    assert usage["characters"] == usage["input_tokens"] == len(TEXT)
    assert usage["seconds"] == pytest.approx(seconds(audio_in(told), "pcm"), abs=0.002)
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


def test_events_tell_the_times_of_words_where_asked_to(client: Either) -> None:
    lines = client.lines(**SPEECH, stream_format="sse", extra_body={"timestamps": "word"})
    words = [word for event in events(lines) if event["type"] == "speech.audio.words" for word in event["words"]]
    assert [TEXT[word["text_start"] : word["text_end"]] for word in words] == [word["word"] for word in words]
    assert "kettle" in {word["word"] for word in words}


def test_models_are_listed(client: Either) -> None:
    assert client.models() >= {"espeak", "hum", "kokoro"}


def test_a_voice_may_be_an_object_and_instructions_are_taken(client: Either) -> None:
    plain = client.whole(**SPEECH, response_format="pcm")
    told = {**SPEECH, "voice": {"id": "en-us"}, "instructions": "Speak like a pirate."}
    assert client.whole(**told, response_format="pcm") == plain


def test_a_sample_rate_is_kept_to(client: Either) -> None:
    _, rate = decode(client.whole(**SPEECH, response_format="wav", extra_body={"sample_rate": 8_000}))
    assert rate == 8_000


def test_a_language_other_than_the_voices_own_sounds_different(client: Either) -> None:
    own = client.whole(**SPEECH, response_format="pcm")
    assert client.whole(**SPEECH, response_format="pcm", extra_body={"language": "de"}) != own


def test_the_other_fields_of_ours_are_taken(client: Either) -> None:
    plain, _ = decode(client.whole(**KOKORO))
    extra = {"seed": 7, "lane": "batch", "normalization": {"numbers": True}}
    assert len(decode(client.whole(**KOKORO, extra_body=extra))[0]) > 1_000
    lexicon = {"lexicon": {"Hello": "ɡˌʊdbˈI ɡˌʊdbˈI ɡˌʊdbˈI"}}
    assert not np.array_equal(decode(client.whole(**KOKORO, extra_body=lexicon))[0], plain)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"voice": "allay"}, openai.BadRequestError, "There is no voice 'allay'"),
        ({"model": "espeek"}, openai.BadRequestError, "Try espeak"),
        ({"speed": 9}, openai.BadRequestError, "speed"),
        ({"extra_body": {"colour": "red"}}, openai.BadRequestError, "colour"),
        ({"input": ""}, openai.BadRequestError, "is missing or empty"),
        ({"extra_body": {"lexicon": {"kettle": "kɛtl"}}}, openai.BadRequestError, "cannot be used with the model"),
        ({"input": "a word " * 10_000}, openai.APIStatusError, "at most 20,000"),
        ({"model": "hum", "voice": "broken"}, openai.InternalServerError, "model failed"),
    ],
)
def test_errors_are_the_clients_own(
    client: Either, change: dict[str, Any], error: type[openai.APIStatusError], message: str
) -> None:
    with pytest.raises(error, match=message) as raised:
        client.whole(**{**SPEECH, **change})
    assert raised.value.type in ("invalid_request_error", "server_error")


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_key_is_told(stack: Stack, kind: str) -> None:
    with pytest.raises(openai.AuthenticationError):
        KINDS[kind](f"{stack.url}/v1", "wrong").models()


def test_speech_that_fails_midway_is_never_taken_for_whole(client: Either) -> None:
    failing = {"model": "hum", "voice": "failing", "input": "A tone that will not end well. " * 3}
    with pytest.raises(Exception, match="peer closed connection"):  # the client lets its HTTP library's error through
        client.chunks(**failing, response_format="wav")
    told = events(client.lines(**failing, response_format="wav", stream_format="sse"))
    assert told[-1]["type"] == "error"
    assert told[-1]["error"]["type"] == "server_error"


def test_a_busy_server_is_asked_again_after_the_time_it_says(stack: Stack, tmp_path: Path) -> None:
    """One place at the model, which is taken until somebody was refused, as whoever would wait is."""
    limits = {"LECTERN_MODEL_SLOTS": "hum=1", "LECTERN_ADMISSION_WAIT": "0"}
    speech = {"model": "hum", "response_format": "pcm"}
    with web_server(stack, tmp_path / "web.log", **limits) as url, Triton(stack.triton_address) as triton:
        for kind in KINDS:
            patient = KINDS[kind](f"{url}/v1", stack.api_key, retries=20)
            # How long a segment takes is known once there was one.
            patient.whole(**speech, voice="slow", input=f"A slow hum for {kind}, {uuid4().hex}.")
            before = refused(url)
            text = f"Another one for {kind}, {uuid4().hex}."
            with held.asking(url, stack.api_key, {**speech, "voice": "holding", "input": text}):
                held.until_begun(triton, text)
                with ThreadPoolExecutor(1) as thread:
                    answer = thread.submit(patient.whole, **speech, voice="hum", input=f"At last, {uuid4().hex}.")
                    until(lambda before=before: refused(url) > before, "a refusal")  # type: ignore[misc]
                    assert not answer.done()
                    held.release(triton, text)
                    assert answer.result()


def test_more_at_once_than_the_model_has_places_are_all_answered(stack: Stack, tmp_path: Path) -> None:
    """A client that is not patient: what there is no room for waits until there is."""
    with web_server(stack, tmp_path / "web.log", LECTERN_MODEL_SLOTS="hum=2") as url:
        before = refused(url)
        for kind in KINDS:
            hasty = KINDS[kind](f"{url}/v1", stack.api_key)

            def speak(number: int, kind: str = kind, hasty: Either = hasty) -> bytes:
                text = f"Number {number} of {kind}."
                return hasty.whole(model="hum", voice="slow", input=text, response_format="wav")

            with ThreadPoolExecutor(8) as threads:
                answers = list(threads.map(speak, range(8)))
            assert all(len(decode(answer)[0]) > 0 for answer in answers)
        assert refused(url) == before


def refused(url: str) -> float:
    return metric(url, "lectern_requests_refused_total", model="hum")

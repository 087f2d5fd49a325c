"""One synthesis serves every speed that is not the model's own: the rest is made of what is cached."""

import json
import re
import struct
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest

from lectern.triton import Triton
from tests.integration import documents
from tests.integration.audio import decode
from tests.integration.listening import document_of, event_listener
from tests.integration.metrics import metric
from tests.stack import Stack

HUM = {"model": "hum", "voice": "hum"}  # its card has no other speed than 1
RATE = 24_000


def new_text() -> str:
    return f"Nobody has heard {uuid4().hex} at any speed before today."


def speak(api: httpx.Client, text: str, speed: float, **fields: Any) -> httpx.Response:
    body = {**HUM, "input": text, "speed": speed, "response_format": "flac", **fields}
    return api.post("/v1/audio/speech", json=body).raise_for_status()


def when_cached(api: httpx.Client, text: str, speed: float, **fields: Any) -> httpx.Response:
    return documents.until(
        lambda: speak(api, text, speed, **fields), lambda answer: "x-lectern-seconds" in answer.headers
    )


def made(stack: Stack, model: str = "hum") -> float:
    return metric(stack.url, "lectern_segments_total", model=model, source="made")


def usage(api: httpx.Client, text: str, speed: float) -> dict[str, Any]:
    events = speak(api, text, speed, stream_format="sse").text.strip().split("\n\n")
    return dict(json.loads(events[-1].removeprefix("data: "))["usage"])


def test_a_document_that_was_heard_is_heard_at_other_speeds_without_a_model(stack: Stack, api: httpx.Client) -> None:
    document, *blocks = document_of(api, 3)
    paths = [f"/api/v1/documents/{document}/blocks/{block}/audio" for block in blocks]
    query = {"model": "hum", "voice": "hum", "response_format": "wav"}
    plain = [float(api.head(path, params=query).raise_for_status().headers["x-lectern-seconds"]) for path in paths]
    for path in paths:
        documents.until(partial(api.get, path, params=query), lambda got: "content-length" in got.headers)
    whole_document = f"/api/v1/documents/{document}/audio"
    whole_length = len(decode(api.get(whole_document, params=query).raise_for_status().content)[0])
    before = made(stack)
    for speed in (1.5, 2.0, 0.75):
        for path, seconds in zip(paths, plain, strict=True):
            told = api.head(path, params={**query, "speed": speed}).raise_for_status()
            assert float(told.headers["x-lectern-seconds"]) == pytest.approx(seconds / speed, abs=0.001)
            whole = api.get(path, params={**query, "speed": speed}).raise_for_status()
            assert "content-length" in whole.headers
            samples, rate = decode(whole.content)
            assert len(samples) / rate == pytest.approx(seconds / speed, abs=0.001)
        stream = api.get(whole_document, params={**query, "speed": speed}).raise_for_status()
        assert len(decode(stream.content)[0]) == pytest.approx(
            whole_length / speed, abs=48
        )  # pauses are in milliseconds
    assert made(stack) == before


def test_a_block_at_another_speed_is_a_file_of_its_own_with_parts(api: httpx.Client) -> None:
    document, block = document_of(api, 1)
    path = f"/api/v1/documents/{document}/blocks/{block}/audio"
    query = {"model": "hum", "voice": "hum", "response_format": "opus", "speed": "1.5"}
    api.head(path, params=query).raise_for_status()
    whole = documents.until(lambda: api.get(path, params=query), lambda got: "content-length" in got.headers)
    name = whole.headers["content-location"]
    found = re.fullmatch(r".*\.1\.5x\.(0\.[0-9]+)s\.opus", name)  # with the pause behind the block
    assert found is not None
    named = api.get(name).raise_for_status()
    assert named.content == whole.content
    assert named.headers["etag"] == whole.headers["etag"] != api.get(path).headers["etag"]
    first = api.get(path, params=query, headers={"range": "bytes=0-99"})
    rest = api.get(name, headers={"range": "bytes=100-", "if-range": whole.headers["etag"]})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.content + rest.content == whole.content
    assert api.get(name, headers={"if-none-match": whole.headers["etag"]}).status_code == 304
    slower = name.replace(".1.5x.", ".0.75x.")  # who knows the name may have any tempo of it
    assert len(decode(api.get(slower).raise_for_status().content)[0]) == pytest.approx(
        2 * len(decode(whole.content)[0]) - float(found[1]) * 48_000, abs=96
    )
    assert api.get(name.replace(".1.5x.", ".1.50x.")).status_code == 404


@pytest.mark.parametrize("speed", [0.5, 1.5, 2.0])
def test_live_and_cached_speech_have_the_same_samples(stack: Stack, api: httpx.Client, speed: float) -> None:
    text = new_text()
    live, _ = decode(speak(api, text, speed).content)
    before = made(stack)
    cached, _ = decode(when_cached(api, text, speed).content)
    assert np.array_equal(live, cached)
    assert len(live) / RATE == pytest.approx(len(text) / 10 / speed, abs=0.001)
    assert made(stack) == before


def test_at_speed_1_the_samples_are_the_models_own(stack: Stack, api: httpx.Client) -> None:
    text = new_text()
    with Triton(stack.triton_address) as triton:
        direct = np.concatenate([chunk.audio for chunk in triton.speak("hum", text, voice={"hertz": 220})])
    assert np.array_equal(decode(speak(api, text, 1.0).content)[0], direct)
    assert np.array_equal(decode(when_cached(api, text, 1.0).content)[0], direct)


@pytest.mark.parametrize("response_format", ["wav", "flac", "mp3"])
def test_the_header_of_cached_speech_declares_its_length_at_any_speed(api: httpx.Client, response_format: str) -> None:
    text = " ".join(new_text() for _ in range(8))  # several segments
    answer = when_cached(api, text, 1.75, response_format=response_format)
    samples, rate = decode(answer.content)
    assert float(answer.headers["x-lectern-seconds"]) == pytest.approx(len(samples) / rate, abs=0.06)
    if response_format == "wav":
        (declared,) = struct.unpack_from("<I", answer.content, 40)
        assert declared == 2 * len(samples)


@pytest.mark.parametrize("speed", [0.5, 1.5, 2.0])
def test_words_are_where_they_are_heard(api: httpx.Client, speed: float) -> None:
    text = " ".join(new_text() for _ in range(4))
    body = {**HUM, "input": text, "caption_format": "json"}
    plain, other = (
        api.post("/v1/audio/captions", json={**body, "speed": at}).raise_for_status().json() for at in (1.0, speed)
    )
    assert other["duration"] == pytest.approx(plain["duration"] / speed, abs=0.01)
    edges = [word[edge] for word in other["words"] for edge in ("start", "end")]
    assert edges == sorted(edges)
    assert edges[-1] <= other["duration"] + 0.0005  # which is in milliseconds
    assert [word["word"] for word in other["words"]] == [word["word"] for word in plain["words"]]
    for then, now in zip(plain["words"], other["words"], strict=True):
        assert now["start"] == pytest.approx(then["start"] / speed, abs=0.3)  # fast words take of the pauses
        assert now["end"] == pytest.approx(then["end"] / speed, abs=0.3)


def test_usage_counts_what_is_heard_and_what_a_model_made(stack: Stack, api: httpx.Client) -> None:
    text = new_text()
    before = metric(stack.url, "lectern_audio_seconds_total", model="hum")
    new = usage(api, text, 2.0)
    assert new["seconds"] == pytest.approx(len(text) / 20, abs=0.001)
    when_cached(api, text, 2.0)
    seconds = metric(stack.url, "lectern_audio_seconds_total", model="hum") - before
    assert seconds == pytest.approx(len(text) / 10, abs=0.001)
    assert usage(api, text, 0.5)["seconds"] == pytest.approx(len(text) / 5, abs=0.001)


def test_a_playback_tells_the_seconds_and_the_file_of_its_speed(stack: Stack, api: httpx.Client) -> None:
    document, *blocks = document_of(api, 2)
    before = made(stack)
    for speed in (2.0, 1.0, 1.5):
        with event_listener(api, document, voice="hum", speed=speed, response_format="wav") as player:
            for block in blocks:
                ready = player.ready(block)
                samples, rate = decode(api.get(ready["url"]).raise_for_status().content)
                assert len(samples) / rate == pytest.approx(ready["seconds"], abs=0.001)
    assert made(stack) == before + 2


def test_the_loudness_of_the_whole_is_reached_at_any_speed(api: httpx.Client) -> None:
    quiet, _ = decode(speak(api, new_text(), 1.5, loudness=-30).content)
    loud, _ = decode(speak(api, new_text(), 1.5, loudness=-18).content)
    levels = [20 * np.log10(np.sqrt(np.mean(samples.astype(float) ** 2))) for samples in (quiet, loud)]
    assert levels[1] - levels[0] == pytest.approx(12, abs=0.5)


def test_the_direct_client_stretches_what_is_not_the_models_own(stack: Stack) -> None:
    with Triton(stack.triton_address) as triton:
        assert triton.card("hum").speeds == (1, 1)
        for speed in (2.0, 0.5):
            chunks = list(triton.speak_timed("hum", "two words of it", voice={"hertz": 220}, speed=speed))
            assert sum(chunk.audio.size for chunk in chunks) == round(1.5 * RATE / speed)
            words = [word for chunk in chunks for word in chunk.words]
            assert [word.word for word in words] == ["two", "words", "of", "it"]
            assert words[-1].end == pytest.approx(1.5 / speed, abs=0.05)


def test_a_speed_of_the_models_own_is_made_by_the_model_and_the_rest_is_tempo(stack: Stack, api: httpx.Client) -> None:
    with Triton(stack.triton_address) as triton:
        slowest, fastest = triton.card("espeak").speeds
    text = f"The river was low in {uuid4().hex[:6]} and nobody had seen it so low before."
    fields = {"model": "espeak", "voice": "en-us"}
    before = made(stack, "espeak")
    plain = len(decode(when_cached(api, text, 1.0, **fields).content)[0])
    for speed in (fastest, slowest):
        samples = decode(when_cached(api, text, speed, **fields).content)[0]
        assert len(samples) == pytest.approx(plain / speed, rel=0.1)
    assert made(stack, "espeak") == before + len({1.0, slowest, fastest})
    beyond = decode(when_cached(api, text, 4.0, **fields).content)[0]
    assert len(beyond) == pytest.approx(plain / 4.0, rel=0.1)
    assert made(stack, "espeak") == before + len({1.0, slowest, fastest})

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest

from lectern.triton import Triton
from lectern_contract import PAUSES, SILENCE_BEFORE, SILENCE_BEHIND
from tests.integration import documents
from tests.integration.audio import decode
from tests.integration.metrics import metric
from tests.stack import Stack

TEXT = "The kettle sang on the stove. Outside, the first snow of the year began to fall on the empty road."
LONG_TEXT = " ".join(f"This is sentence number {number} of a rather long story." for number in range(60))


def speak(api: httpx.Client, **fields: Any) -> httpx.Response:
    body = {"model": "espeak", "voice": "en-us", "input": TEXT, "response_format": "wav", **fields}
    return api.post("/v1/audio/speech", json=body)


def test_lossless_formats_carry_the_same_samples(api: httpx.Client) -> None:
    wav, wav_rate = decode(speak(api, response_format="wav").content)
    flac, flac_rate = decode(speak(api, response_format="flac").content)
    assert wav_rate == flac_rate
    assert np.array_equal(wav, flac)
    assert len(wav) / wav_rate > 3


def test_opus_and_pcm_have_the_length_of_the_speech(api: httpx.Client) -> None:
    samples, rate = decode(speak(api, response_format="wav").content)
    opus, opus_rate = decode(speak(api, response_format="opus").content)
    pcm = np.frombuffer(speak(api, response_format="pcm").content, "<i2")
    assert len(opus) == round(len(samples) * opus_rate / rate)
    assert abs(len(pcm) - len(samples) * 24_000 / rate) <= 1


def test_mp3_starts_with_the_speech_and_ends_with_it(api: httpx.Client) -> None:
    text = f"Nobody has heard this before, not even {uuid4().hex}."
    with ThreadPoolExecutor(2) as threads:  # at the same time, so that both hear the same synthesis
        wav, lossy = threads.map(lambda form: speak(api, input=text, response_format=form).content, ["wav", "mp3"])
    samples, rate = decode(wav)
    mp3, mp3_rate = decode(lossy)
    assert mp3_rate == rate
    assert len(samples) <= len(mp3) < len(samples) + 576  # a frame: its length is not known when its header is sent
    similarity = np.corrcoef(samples, mp3[: len(samples)])[0, 1]
    assert similarity > 0.95


@pytest.mark.parametrize("response_format", ["wav", "flac", "mp3", "opus"])
def test_a_kept_block_decodes_to_its_exact_length(api: httpx.Client, response_format: str) -> None:
    path = block_path(api, TEXT)
    kept = api.get(path, params={"response_format": "flac"}).raise_for_status()
    samples, rate = decode(kept.content)
    wait_until_kept(api, path)
    encoded, encoded_rate = decode(api.get(path, params={"response_format": response_format}).content)
    assert len(encoded) == round(len(samples) * encoded_rate / rate)


def test_head_makes_the_audio_and_tells_its_seconds(api: httpx.Client) -> None:
    path = block_path(api, "Nobody had heard of this block before it was made.")
    made = api.head(path).raise_for_status()
    assert made.content == b""
    samples, rate = decode(api.get(path, params={"response_format": "wav"}).content)
    assert float(made.headers["x-lectern-seconds"]) == pytest.approx(len(samples) / rate, abs=0.001)


def test_a_kept_block_is_not_sent_again_to_who_has_it(api: httpx.Client) -> None:
    path = block_path(api, TEXT)
    first = api.get(path).raise_for_status()
    again = api.get(path, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    other = api.get(path, params={"speed": "1.5"}, headers={"if-none-match": first.headers["etag"]})
    assert other.status_code == 200


def test_a_document_is_one_stream_of_all_its_blocks(api: httpx.Client) -> None:
    document = documents.make(api, LONG_TEXT, format="text")
    path = f"/api/v1/documents/{document['id']}"
    blocks = documents.blocks(api, document["id"])
    assert len(blocks) > 3
    seconds = sum(float(api.head(f"{path}/blocks/{one['id']}/audio").headers["x-lectern-seconds"]) for one in blocks)
    seconds -= PAUSES["paragraph"] - SILENCE_BEFORE - SILENCE_BEHIND  # behind the last block, if it is played alone
    samples, rate = decode(api.get(f"{path}/audio", params={"response_format": "flac"}).raise_for_status().content)
    assert len(samples) / rate == pytest.approx(seconds, abs=0.001 * len(blocks))


def test_speed_shortens_the_speech(api: httpx.Client) -> None:
    slow, rate = decode(speak(api, speed=1.0).content)
    fast, _ = decode(speak(api, speed=2.0).content)
    assert len(fast) / len(slow) == pytest.approx(0.5, abs=0.1), rate


def test_the_same_words_are_made_once(stack: Stack, api: httpx.Client) -> None:
    text = "These words are spoken twice and made only once."
    first = speak(api, input=text, response_format="flac").content
    made = metric(stack.url, "lectern_segments_total", source="made")
    wait_until_kept(api, block_path(api, text))
    second = speak(api, input=text, response_format="flac").content
    assert np.array_equal(decode(first)[0], decode(second)[0])
    assert metric(stack.url, "lectern_segments_total", source="made") == made


@pytest.mark.parametrize("response_format", ["wav", "mp3"])
def test_a_stream_of_kept_segments_declares_its_exact_length(api: httpx.Client, response_format: str) -> None:
    document = documents.make(api, LONG_TEXT, format="text")
    path = f"/api/v1/documents/{document['id']}/audio"
    samples, rate = decode(api.get(path, params={"response_format": "flac"}).raise_for_status().content)
    for block in documents.blocks(api, document["id"]):
        wait_until_kept(api, f"/api/v1/documents/{document['id']}/blocks/{block['id']}/audio")
    streamed, streamed_rate = decode(api.get(path, params={"response_format": response_format}).content)
    assert (len(streamed), streamed_rate) == (len(samples), rate)


def test_audio_comes_while_it_is_made(api: httpx.Client) -> None:
    """The hum of 'slow' takes half as long to make as to hear, so that whoever waits for the end notices."""
    body = {"model": "hum", "voice": "slow", "input": "A tone " * 20, "response_format": "wav"}
    with api.stream("POST", "/v1/audio/speech", json=body) as answer:
        sizes = [len(part) for part in answer.iter_raw()]
    assert len(sizes) > 20


def test_a_voice_that_fails_at_once_is_an_error_with_a_status(api: httpx.Client) -> None:
    body = {"model": "hum", "voice": "broken", "input": "It says nothing at all."}
    answer = api.post("/v1/audio/speech", json=body)
    assert answer.status_code == 502
    assert answer.json()["error"]["type"] == "server_error"
    assert "retry-after" in answer.headers


def test_a_voice_that_fails_midway_breaks_the_connection(api: httpx.Client) -> None:
    body = {
        "model": "hum",
        "voice": "failing",
        "input": "A tone that will not end well. " * 3,
        "response_format": "wav",
    }
    with api.stream("POST", "/v1/audio/speech", json=body) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()


def test_voices_are_listed_by_language(api: httpx.Client) -> None:
    items = api.get("/api/v1/voices", params={"language": "en", "model": "espeak"}).raise_for_status().json()["items"]
    assert {"en-us", "en-gb"} <= {item["name"] for item in items}
    assert all(item["language"].lower().startswith("en") and item["model"] == "espeak" for item in items)


def test_models_come_and_go_without_a_restart(stack: Stack, api: httpx.Client) -> None:
    def listed() -> bool:
        return "spare" in {model["id"] for model in api.get("/v1/models").raise_for_status().json()["data"]}

    with Triton(stack.triton_address) as triton:
        triton.load("spare")
        try:
            wait_until(listed)
            assert api.post("/v1/audio/speech", json={"model": "spare", "voice": "hum", "input": "Here."}).is_success
        finally:
            triton.unload("spare")
    wait_until(lambda: not listed())
    assert api.post("/v1/audio/speech", json={"model": "spare", "voice": "hum", "input": "Gone."}).status_code == 503
    wait_until(stack.is_ready)


def wait_until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.1)


def block_path(api: httpx.Client, text: str) -> str:
    document = documents.make(api, text, format="text")
    block = documents.blocks(api, document["id"])[0]
    return f"/api/v1/documents/{document['id']}/blocks/{block['id']}/audio"


def wait_until_kept(api: httpx.Client, path: str) -> None:
    """Audio is kept after it was sent; only a whole file has a length in its header."""
    limit = time.monotonic() + 60
    while "content-length" not in api.get(path).raise_for_status().headers:
        assert time.monotonic() < limit, "the audio was not kept"
        time.sleep(0.02)

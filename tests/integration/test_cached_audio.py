"""Cached audio by the address that Content-Location gives: parts, validators, HEAD, and what is not there."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import pytest

from orchestrator.audio.pcm import Samples
from orchestrator.embedded.home import Home
from orchestrator.speech.cache.names import path_of
from orchestrator.speech.cache.segment_file import LENGTH_BYTES
from tests.integration import documents
from tests.integration.audio import decode
from tests.integration.metrics import metric
from tests.integration.servers import web_server
from tests.stack import Stack


@pytest.fixture
def name(api: httpx.Client) -> str:
    """The address of a block's audio that was just made, as Opus."""
    document = documents.make(api, f"Kept as {uuid4().hex}, to be heard again and again.", format="text")
    block = documents.blocks(api, document["id"])[0]
    path = f"/api/v1/documents/{document['id']}/blocks/{block['id']}/audio"
    return str(api.head(path).raise_for_status().headers["content-location"])


def wait_until_kept(api: httpx.Client, name: str) -> httpx.Response:
    """HEAD of a block answers when its audio is complete, which is a moment before it is kept."""
    return documents.until(lambda: api.get(name), lambda answer: answer.status_code != 404)


def test_the_address_never_changes_what_it_means(api: httpx.Client, name: str) -> None:
    answer = wait_until_kept(api, name)
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "audio/ogg"
    assert answer.headers["accept-ranges"] == "bytes"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert api.get(name).content == answer.content


def test_head_tells_all_that_get_tells_but_the_audio(api: httpx.Client, name: str) -> None:
    got = wait_until_kept(api, name)
    told = api.head(name)
    assert (told.status_code, told.content) == (200, b"")
    changing = {"date", "x-request-id"}
    assert {k: v for k, v in told.headers.items() if k not in changing} == {
        k: v for k, v in got.headers.items() if k not in changing
    }


def test_a_player_can_fetch_it_in_parts(api: httpx.Client, name: str) -> None:
    whole = wait_until_kept(api, name)
    etag, size = whole.headers["etag"], len(whole.content)
    first = api.get(name, headers={"range": "bytes=0-999"})
    rest = api.get(name, headers={"range": "bytes=1000-", "if-range": etag})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.headers["content-range"] == f"bytes 0-999/{size}"
    assert first.content + rest.content == whole.content
    assert api.get(name, headers={"range": "bytes=-10"}).content == whole.content[-10:]
    assert api.get(name, headers={"range": "bytes=0-9", "if-range": '"old"'}).content == whole.content


def test_a_range_behind_the_end_is_refused_with_the_length(api: httpx.Client, name: str) -> None:
    size = len(wait_until_kept(api, name).content)
    answer = api.get(name, headers={"range": f"bytes={size}-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{size}"


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
def test_who_has_it_is_not_sent_it_again(api: httpx.Client, name: str, form: str) -> None:
    etag = wait_until_kept(api, name).headers["etag"]
    for method in ("GET", "HEAD"):
        answer = api.request(method, name, headers={"if-none-match": form.format(etag)})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
        assert "immutable" in answer.headers["cache-control"]
        assert "content-length" not in answer.headers  # RFC 9110, 8.6: it would have to be that of the audio


def test_every_format_and_rate_is_made_at_the_first_request(api: httpx.Client, name: str) -> None:
    wait_until_kept(api, name)
    key = name.removesuffix(".opus")
    flac, rate = decode(api.get(f"{key}.flac").raise_for_status().content)
    seconds = len(flac) / rate
    for suffix, expected in {"wav": rate, "8000.wav": 8000, "44100.mp3": 44_100, "16000.flac": 16_000}.items():
        samples, found = decode(api.get(f"{key}.{suffix}").raise_for_status().content)
        assert found == expected
        assert len(samples) / found == pytest.approx(seconds, abs=0.1)
    pcm = api.get(f"{key}.16000.pcm").raise_for_status()
    assert len(pcm.content) == pytest.approx(seconds * 32_000, abs=4)
    assert pcm.headers["content-type"] == "audio/pcm"


@pytest.mark.parametrize(
    "suffix", ["ogg", "opus.opus", "1234.wav", "999999.wav", "08000.wav", "24000.opus", "json", "", "flac.txt", "OPUS"]
)
def test_a_name_that_means_nothing_is_not_found(api: httpx.Client, name: str, suffix: str) -> None:
    wait_until_kept(api, name)
    answer = api.get(f"{name.removesuffix('.opus')}.{suffix}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("key", ["0" * 64, "A" * 64, "0" * 63, "..%2f..%2fsegments", "x"])
def test_an_unknown_key_is_not_found(api: httpx.Client, key: str) -> None:
    for method in ("GET", "HEAD"):
        answer = api.request(method, f"/api/v1/audio/{key}.opus", headers={"if-none-match": "*"})
        assert answer.status_code == 404


def test_nobody_hears_it_without_a_key(stack: Stack, name: str) -> None:
    assert httpx.get(f"{stack.url}{name}", trust_env=False).status_code == 401


def flipped(whole: bytes, place: int) -> bytes:
    return whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes | None]] = {
    "gone": lambda _: None,
    "empty": lambda _: b"",
    "junk": lambda whole: b"\x55" * len(whole),
    "half": lambda whole: whole[: len(whole) // 2],
    "without its last byte": lambda whole: whole[:-1],
    "one bit in the middle": lambda whole: flipped(whole, len(whole) // 2),
}


class Kept:
    """A block that is kept as FLAC and as MP3, and what it sounds like."""

    def __init__(self, stack: Stack, api: httpx.Client, *, model: str = "hum") -> None:
        self.text = f"Some of {uuid4().hex} was damaged."
        self.api = api
        self.url = stack.url
        self.store = Home(stack.home).store
        self.document = documents.make(api, self.text, format="text")["id"]
        (block,) = documents.blocks(api, self.document)
        voice = {"hum": "hum", "espeak": "en-us"}[model]
        self.voice = {"model": model, "voice": voice}
        self.as_made = {**self.voice, "pauses": "paragraph:0"}
        self.path = f"/api/v1/documents/{self.document}/blocks/{block['id']}/audio"
        self.whole = self.samples("flac")
        self.name = self.get("flac").headers["content-location"]
        self.wait_until_kept()
        self.lossy = self.samples("mp3")

    @property
    def key(self) -> str:
        return self.name.rpartition("/")[2].partition(".")[0]

    def get(self, audio_format: str, **headers: str) -> httpx.Response:
        query = {**self.as_made, "response_format": audio_format}
        return self.api.get(self.path, params=query, headers=headers).raise_for_status()

    def samples(self, audio_format: str) -> Samples:
        return decode(self.get(audio_format).content)[0]

    def wait_until_kept(self) -> None:
        """A whole file has a length in its header, what is being made has none."""
        documents.until(lambda: self.get("flac"), lambda answer: "content-length" in answer.headers)

    def made(self) -> float:
        return metric(self.url, "lectern_segments_total", source="made")

    def damage(self, suffix: str, how: str) -> None:
        file = self.store / path_of(self.key, suffix)
        changed = {**DAMAGE, **HEADER_DAMAGE}[how](file.read_bytes())
        if changed is None:
            file.unlink()
        else:
            file.write_bytes(changed)

    def speech(self) -> Samples:
        body = {**self.voice, "input": self.text, "response_format": "wav"}
        return decode(self.api.post("/v1/audio/speech", json=body).raise_for_status().content)[0]

    def of_document(self) -> Samples:
        query = {**self.as_made, "response_format": "wav"}
        answer = self.api.get(f"/api/v1/documents/{self.document}/audio", params=query)
        return decode(answer.raise_for_status().content)[0]

    def head(self) -> None:
        seconds = self.api.head(self.path, params=self.as_made).raise_for_status().headers["x-lectern-seconds"]
        assert float(seconds) > 0.5


HEADER_DAMAGE: dict[str, Callable[[bytes], bytes | None]] = {
    "the header": lambda whole: flipped(whole, 20),
    "the marks": lambda whole: flipped(whole, LENGTH_BYTES + 1),
}


@pytest.mark.parametrize("how", [*DAMAGE, *HEADER_DAMAGE])
def test_what_cannot_be_read_is_made_anew(stack: Stack, api: httpx.Client, how: str) -> None:
    kept = Kept(stack, api)
    ways: dict[str, Callable[[], object]] = {
        "block": lambda: kept.samples("flac"),
        "speech": kept.speech,
        "document": kept.of_document,
        "head": kept.head,
    }
    for name, hear in ways.items():
        made = kept.made()
        kept.damage("flac", how)
        assert api.get(kept.name).status_code == 404, name
        heard = hear()
        assert heard is None or np.array_equal(heard, kept.whole), name  # type: ignore[arg-type]
        kept.wait_until_kept()
        assert kept.made() == made + 1, name
        hear()
        assert kept.made() == made + 1, f"{name}: the second time it comes from the store"
        assert np.array_equal(kept.samples("flac"), kept.whole)


@pytest.mark.parametrize("how", DAMAGE)
def test_an_encoding_that_is_not_what_was_written_is_encoded_anew(stack: Stack, api: httpx.Client, how: str) -> None:
    kept = Kept(stack, api)
    whole = kept.get("mp3").content
    kept.damage("mp3", how)
    made = kept.made()
    part = kept.get("mp3", range="bytes=10-19")
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert kept.get("mp3").content == whole
    assert (kept.store / path_of(kept.key, "mp3")).read_bytes() == whole
    kept.damage("mp3", how)
    assert int(api.head(kept.name.replace(".flac", ".mp3")).raise_for_status().headers["content-length"]) == len(whole)
    assert kept.made() == made


def test_a_flac_that_differs_but_sounds_the_same_is_written_anew(stack: Stack, api: httpx.Client) -> None:
    """The last two bytes are the checksum of a frame, which players look at."""
    kept = Kept(stack, api)
    file = kept.store / path_of(kept.key, "flac")
    whole, made = file.read_bytes(), kept.made()
    file.write_bytes(flipped(whole, len(whole) - 1))
    assert np.array_equal(kept.speech(), kept.whole)
    assert kept.get("flac").content == whole == file.read_bytes()
    assert kept.made() == made


def test_of_a_segment_that_cannot_be_read_no_encoding_stays(stack: Stack, api: httpx.Client) -> None:
    kept = Kept(stack, api)
    kept.damage("flac", "half")
    kept.damage("mp3", "empty")
    assert len(kept.samples("mp3")) == pytest.approx(len(kept.lossy), abs=1_200)
    kept.wait_until_kept()
    assert not (kept.store / path_of(kept.key, "mp3")).exists()
    assert np.array_equal(kept.samples("mp3"), kept.lossy)


def test_two_processes_asked_first_at_once_send_the_same(
    stack: Stack, other: str, api: httpx.Client, name: str
) -> None:
    wait_until_kept(api, name)
    key = name.removesuffix(".opus")
    headers = {"authorization": f"Bearer {stack.api_key}"}

    def get(place: int) -> bytes:
        url = (stack.url, other)[place % 2]
        return (
            httpx.get(f"{url}{key}.22050.mp3", headers=headers, timeout=120, trust_env=False).raise_for_status().content
        )

    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(get, range(16)))
    assert len(answers) == 1
    assert len(decode(answers.pop())[0]) > 22_050


@pytest.fixture(scope="module")
def other(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log: Path = tmp_path_factory.mktemp("other") / "log"
    with web_server(stack, log) as url:
        yield url

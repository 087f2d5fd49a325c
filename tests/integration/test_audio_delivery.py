"""Cached audio that nginx or the store sends in Lectern's place."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from orchestrator.speech.cache.names import path_of
from tests.integration import documents
from tests.integration import nginx as nginx_server
from tests.integration import s3 as s3_server
from tests.integration.audio import decode
from tests.integration.own_database import OwnDatabase, own_database, worker
from tests.integration.servers import web_server
from tests.stack import Stack


@dataclass(frozen=True)
class Front:
    """A web process whose cached audio another server sends, and how it is reached."""

    url: str
    behind: str
    api_key: str
    store: Path

    def http(self, url: str | None = None) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.api_key}"}
        return httpx.Client(base_url=url or self.url, headers=headers, timeout=120, trust_env=False)


@pytest.fixture(scope="module")
def database(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnDatabase]:
    with own_database(stack) as made, worker(made, tmp_path_factory.mktemp("worker") / "log"):
        yield made


@pytest.fixture(scope="module")
def accel(stack: Stack, database: OwnDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    if nginx_server.PROGRAM is None:
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("accel")
    store = folder / "store"
    environment = {"DATABASE_URL": database.url, "STORE_URL": store.as_uri(), "LECTERN_AUDIO_DELIVERY": "x-accel"}
    with (
        web_server(stack, folder / "web.log", **environment) as behind,
        nginx_server.nginx(folder / "nginx", behind, store) as url,
    ):
        yield Front(url, behind, database.api_key, store)


@pytest.fixture(scope="module")
def redirect(stack: Stack, database: OwnDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    if not s3_server.PROGRAM:
        pytest.skip("LECTERN_TEST_S3 names no server")
    folder = tmp_path_factory.mktemp("redirect")
    with s3_server.s3(folder / "s3") as environment:
        own = {**environment, "DATABASE_URL": database.url, "LECTERN_AUDIO_DELIVERY": "redirect"}
        with web_server(stack, folder / "web.log", **own) as url:
            yield Front(url, url, database.api_key, folder / "s3" / "bucket" / "audio")


def fresh_block(api: httpx.Client) -> str:
    document = documents.make(api, f"Sent by somebody else: {uuid4().hex}.", format="text")
    block = documents.blocks(api, document["id"])[0]
    return f"/api/v1/documents/{document['id']}/blocks/{block['id']}/audio"


def key_of(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0]


def test_nginx_sends_what_lectern_only_names(accel: Front) -> None:
    with accel.http() as front, accel.http(accel.behind) as behind:
        block = fresh_block(front)
        streamed = front.get(block).raise_for_status()  # made now, so Lectern sends it itself
        name = streamed.headers["content-location"]
        named = documents.until(lambda: behind.get(name), lambda answer: answer.status_code != 404)
        assert named.content == b""
        assert named.headers["x-accel-redirect"] == f"/cached-audio/{path_of(key_of(name), 'opus')}"

        for path, kept_for in {name: "private, max-age=31536000, immutable", block: "private, no-cache"}.items():
            sent = front.get(path).raise_for_status()
            assert sent.content == (accel.store / path_of(key_of(name), "opus")).read_bytes()
            assert sent.headers["content-type"] == "audio/ogg"
            assert sent.headers["cache-control"] == kept_for
            assert sent.headers["etag"]
            assert "x-accel-redirect" not in sent.headers
        assert front.get(block).headers["content-location"] == name
        assert len(decode(sent.content)[0]) == len(decode(streamed.content)[0])


def test_nginx_answers_head_ranges_and_validators(accel: Front) -> None:
    with accel.http() as front:
        name = front.get(fresh_block(front)).headers["content-location"]
        whole = documents.until(lambda: front.get(name), lambda answer: answer.status_code != 404)
        told = front.head(name)
        assert (told.status_code, told.content) == (200, b"")
        assert int(told.headers["content-length"]) == len(whole.content)
        part = front.get(name, headers={"range": "bytes=100-199", "if-range": whole.headers["etag"]})
        assert (part.status_code, part.content) == (206, whole.content[100:200])
        assert front.get(name, headers={"range": f"bytes={len(whole.content)}-"}).status_code == 416
        assert front.get(name, headers={"if-none-match": whole.headers["etag"]}).status_code == 304


def test_an_encoding_is_made_before_nginx_is_told_of_it(accel: Front) -> None:
    with accel.http() as front:
        name = front.get(fresh_block(front)).headers["content-location"]
        documents.until(lambda: front.get(name), lambda answer: answer.status_code != 404)
        samples, rate = decode(front.get(name.replace(".opus", ".16000.mp3")).raise_for_status().content)
        assert rate == 16_000
        assert len(samples) > rate
        fast = front.get(name.replace(".opus", ".2x.16000.mp3")).raise_for_status()
        assert fast.content == (accel.store / path_of(key_of(name), "2x.16000.mp3")).read_bytes()
        assert len(decode(fast.content)[0]) == pytest.approx(len(samples) / 2, abs=2_304)  # two frames of MP3


def test_nobody_comes_past_lectern_to_the_files(accel: Front) -> None:
    with accel.http() as front:
        name = front.get(fresh_block(front)).headers["content-location"]
        documents.until(lambda: front.get(name), lambda answer: answer.status_code != 404)
        assert front.get(f"/cached-audio/{path_of(key_of(name), 'opus')}").status_code == 404
    assert httpx.get(f"{accel.url}{name}", trust_env=False).status_code == 401


def test_what_is_not_kept_is_not_found(accel: Front) -> None:
    with accel.http() as front:
        assert front.get(f"/api/v1/audio/{'0' * 64}.opus").status_code == 404
        assert front.get(f"/api/v1/audio/{'0' * 64}.flac").status_code == 404


def test_what_was_deleted_is_made_anew(accel: Front) -> None:
    with accel.http() as front:
        block = fresh_block(front)
        name = front.get(block).headers["content-location"]
        whole = documents.until(lambda: front.get(name), lambda answer: answer.status_code != 404)
        for suffix in ("flac", "opus"):
            (accel.store / path_of(key_of(name), suffix)).unlink()
        assert len(decode(front.get(block).raise_for_status().content)[0]) == len(decode(whole.content)[0])


def test_the_store_sends_what_a_signed_address_names(redirect: Front) -> None:
    with redirect.http() as api:
        block = fresh_block(api)
        streamed = api.get(block).raise_for_status()
        name = streamed.headers["content-location"]
        answer = documents.until(lambda: api.get(name), lambda answer: answer.status_code != 404)
        assert (answer.status_code, answer.content) == (307, b"")
        assert answer.headers["cache-control"] == "private, max-age=150"
        signed = parse_qs(urlsplit(answer.headers["location"]).query)
        assert signed["X-Amz-Expires"] == ["300"]

        sent = httpx.get(answer.headers["location"], trust_env=False).raise_for_status()
        assert sent.content == (redirect.store / path_of(key_of(name), "opus")).read_bytes()
        assert sent.headers["content-type"] == "audio/ogg"
        part = api.get(name, headers={"range": "bytes=10-19"}, follow_redirects=True)
        assert (part.status_code, part.content) == (206, sent.content[10:20])
        told = api.head(name, follow_redirects=True).raise_for_status()
        assert int(told.headers["content-length"]) == len(sent.content)

        fast = api.get(name.replace(".opus", ".2x.opus"))
        assert fast.status_code == 307
        sped = httpx.get(fast.headers["location"], trust_env=False).raise_for_status()
        assert sped.content == (redirect.store / path_of(key_of(name), "2x.opus")).read_bytes()
        assert len(decode(sped.content)[0]) == pytest.approx(len(decode(sent.content)[0]) / 2, abs=2)

        of_block = api.get(block)
        assert of_block.status_code == 307
        assert of_block.headers["cache-control"] == "private, no-cache"
        assert of_block.headers["content-location"] == name
        wav = api.get(name.replace(".opus", ".wav"), follow_redirects=True).raise_for_status()
        assert wav.headers["content-type"] == "audio/wav"
        assert len(decode(wav.content)[0]) > 0


def test_a_signed_address_is_good_for_nothing_else(redirect: Front) -> None:
    with redirect.http() as api:
        name = api.get(fresh_block(api)).headers["content-location"]
        answer = documents.until(lambda: api.get(name), lambda answer: answer.status_code != 404)
    address = answer.headers["location"]
    assert httpx.get(address.replace(".opus", ".flac"), trust_env=False).status_code == 403
    assert httpx.delete(address, trust_env=False).status_code == 403

import asyncio
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lectern.rest.aio import AsyncClient
from orchestrator.embedded import CannotStart
from orchestrator.embedded.home import Home
from orchestrator.embedded.sample_document import (
    TEXT,
    CheckedReading,
    StoredReading,
    check_sound,
    decode,
    identity_of,
    read_sample,
)
from tests.unit.client.bodies import DOCUMENTS, audio_path, block, document
from tests.unit.client.fake_server import Answer, FakeServer


def sound(path: Path, seconds: float, amplitude: int = 10_000, rate: int = 22_050) -> Path:
    time = np.arange(int(seconds * rate)) / rate
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((amplitude * np.sin(2 * np.pi * 220 * time)).astype("<i2").tobytes())
    return path


def test_a_file_is_measured_by_decoding_it(tmp_path: Path) -> None:
    found = decode(sound(tmp_path / "sound.wav", 2.5))
    assert found.seconds == pytest.approx(2.5, abs=0.001)
    assert found.peak == pytest.approx(10_000, abs=10)


def test_the_sound_that_was_promised_passes(tmp_path: Path) -> None:
    assert asyncio.run(check_sound(sound(tmp_path / "sound.wav", 30), 30.4)).seconds == pytest.approx(30, abs=0.01)


@pytest.mark.parametrize("promised", [20.0, 40.0])
def test_less_or_more_than_expected_is_refused(tmp_path: Path, promised: float) -> None:
    with pytest.raises(CannotStart, match=rf"decodes to 30\.0 s, and {promised} s were expected"):
        asyncio.run(check_sound(sound(tmp_path / "sound.wav", 30), promised))


def test_silence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="is silent"):
        asyncio.run(check_sound(sound(tmp_path / "sound.wav", 30, amplitude=10), 30))


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.opus").write_text("not a sound")
    with pytest.raises(CannotStart, match="cannot be decoded"):
        asyncio.run(check_sound(tmp_path / "text.opus", 30))


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """A server that speaks with espeak and has the document `sample`, and fails when another is to be made."""
    with FakeServer() as fake:
        has(fake, models={"espeak": "1"})
        fake.answer("GET", "/api/v1/documents/sample", Answer.json(document(id="sample")))
        fake.answer("POST", "/api/v1/documents", Answer.json({"detail": "read anew"}, status=400))
        yield fake


def has(fake: FakeServer, models: dict[str, str], version: str = "1.0") -> None:
    listed = [{"id": model, "version": weights} for model, weights in models.items()]
    fake.answer("GET", "/v1/models", Answer.json({"data": listed}))
    fake.answer("GET", "/readyz", Answer.json({"status": "ready", "version": version, "checks": []}))


async def identity(server: FakeServer) -> str:
    async with AsyncClient(server.url, api_key="key") as client:
        return await identity_of(client, TEXT.read_text(encoding="utf-8"))


@pytest.fixture
def read_before(home: Home, server: FakeServer) -> Home:
    home.api_key.write_text("key\n")
    home.sample.write_text("the sound of the start before")
    StoredReading("sample", asyncio.run(identity(server))).save(home)
    return home


def read(home: Home, server: FakeServer, *, anew: bool = False) -> CheckedReading | None:
    return asyncio.run(read_sample(home, server.url, lambda _: None, anew=anew))


def test_a_sample_that_was_read_before_is_not_read_again(read_before: Home, server: FakeServer) -> None:
    assert read(read_before, server) is None
    assert {one.method for one in server.asked} == {"GET"}


def test_the_sample_is_read_in_the_batch_lane(home: Home, server: FakeServer, tmp_path: Path) -> None:
    home.api_key.write_text("key\n")
    server.answer("POST", DOCUMENTS, Answer.json(document(), 201))
    server.answer("GET", f"{DOCUMENTS}/d1", Answer.json(document()))
    server.answer("GET", f"{DOCUMENTS}/d1/blocks", Answer.json({"items": [block(0)], "next": None}))
    server.answer("HEAD", audio_path(0), Answer(headers={"x-lectern-seconds": "2.0"}))
    wav = sound(tmp_path / "sound.wav", 2.0).read_bytes()
    server.answer("GET", f"{DOCUMENTS}/d1/audio", Answer(body=wav, framing="chunked"))
    assert read(home, server) is not None
    lanes = [one.query["lane"] for one in server.asked if one.path.endswith("/audio")]
    assert lanes == [["batch"], ["batch"]]


@pytest.mark.parametrize(
    "change", ["model", "weights", "version", "text", "voice", "file", "document", "unchecked", "asked for"]
)
def test_it_is_read_again_when_there_is_something_new_to_hear_or_show(
    read_before: Home, server: FakeServer, change: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    match change:
        case "model":
            has(server, models={"espeak": "1", "kokoro": "1-a"})
        case "weights":
            has(server, models={"espeak": "2"})
        case "version":
            has(server, models={"espeak": "1"}, version="1.1")
        case "text":
            monkeypatch.setattr("orchestrator.embedded.sample_document.TEXT", tmp_path / "sample.md")
            (tmp_path / "sample.md").write_text("Another text.")
        case "voice":
            monkeypatch.setenv("LECTERN_DEFAULT_VOICE", "de")
        case "file":
            read_before.sample.unlink()
        case "document":
            server.answer("GET", "/api/v1/documents/sample", Answer.json({"detail": "gone"}, status=404))
        case "unchecked":
            StoredReading("sample").save(read_before)
    with pytest.raises(CannotStart, match="read anew"):
        read(read_before, server, anew=change == "asked for")

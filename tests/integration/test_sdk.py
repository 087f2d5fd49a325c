"""The Python client, the direct client and the command line against a real stack."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lectern import (
    ApiError,
    AsyncClient,
    AudioDelta,
    Client,
    ConnectionLostError,
    Done,
    SpeechFailedError,
    Voicing,
    Word,
    Words,
)
from lectern.cli.main import main
from lectern.triton import Triton
from tests.integration.audio import decode
from tests.integration.metrics import metric
from tests.stack import Stack
from tests.unit.client import players
from tests.unit.client.either import Asyncio, Either, Threads

TEXT = "The kettle sang on the stove. Outside, the first snow began to fall."
ENGLISH = Voicing("en-us", model="espeak")


@pytest.fixture(params=[Client, AsyncClient])
def client(request: pytest.FixtureRequest, stack: Stack) -> Iterator[Either]:
    made = request.param(stack.url, api_key=stack.api_key)
    with Threads(made) if request.param is Client else Asyncio(made) as either:
        yield either


@pytest.fixture
def here(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder to work in, where the command line finds the stack."""
    monkeypatch.setenv("LECTERN_URL", stack.url)
    monkeypatch.setenv("LECTERN_API_KEY", stack.api_key)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def events(client: Either, text: str, *voicing: Voicing, **options: Any) -> tuple[bytes, list[Word], Done]:
    found = client.collect("speak_events", text, *voicing, **options)
    audio = b"".join(event.audio for event in found if isinstance(event, AudioDelta))
    words = [word for event in found if isinstance(event, Words) for word in event.words]
    assert isinstance(found[-1], Done)
    return audio, words, found[-1]


@pytest.mark.parametrize("audio_format", ["opus", "wav", "flac", "mp3", "aac"])
def test_every_format_is_speech(client: Either, audio_format: str) -> None:
    samples, rate = decode(client.call("speak", TEXT, ENGLISH, audio_format=audio_format))
    assert len(samples) / rate > 3
    assert np.abs(samples.astype(int)).max() > 1000


def test_a_rate_that_is_asked_for(client: Either) -> None:
    _, rate = decode(client.call("speak", TEXT, ENGLISH, audio_format="wav", sample_rate=16_000))
    assert rate == 16_000


def test_events_have_the_same_audio_and_every_word(client: Either) -> None:
    audio, words, done = events(client, TEXT, ENGLISH, audio_format="flac")
    samples, rate = decode(audio)
    assert np.array_equal(samples, decode(client.call("speak", TEXT, ENGLISH, audio_format="flac"))[0])
    assert done.usage.seconds == pytest.approx(len(samples) / rate, abs=0.001)
    assert done.usage.characters == len(TEXT)
    assert [word.word.strip(".,") for word in words] == TEXT.replace(".", "").replace(",", "").split()
    assert all(TEXT[word.text_start : word.text_end] == word.word for word in words)
    assert all(word.start <= word.end <= done.usage.seconds + 0.001 for word in words)


def test_captions_have_the_words_of_the_events(client: Either) -> None:
    _, words, done = events(client, TEXT, ENGLISH)
    timing = client.call("words", TEXT, ENGLISH)
    assert (timing.words, timing.duration) == (words, pytest.approx(done.usage.seconds, abs=0.001))
    assert "The kettle sang on the stove.\n" in client.call("captions", TEXT, ENGLISH)
    assert client.call("captions", TEXT, ENGLISH, caption_format="vtt").startswith("WEBVTT\n")


def test_captions_of_a_document(client: Either) -> None:
    document = client.call("create_document", f"# A title\n\n{TEXT}")
    client.call("wait_until_ready", document.id)
    try:
        blocks = {block.id: block for block in client.collect("blocks", document.id)}
        timing = client.call("document_words", document.id, ENGLISH)
        assert timing.words[0].word == "A"
        assert all(blocks[word.block].shown[word.text_start : word.text_end] == word.word for word in timing.words)
        audio = b"".join(client.collect("stream_document_audio", document.id, ENGLISH, audio_format="flac"))
        samples, rate = decode(audio)
        assert timing.duration == pytest.approx(len(samples) / rate, abs=0.001)
        assert "1\n00:00:00,0" in client.call("document_captions", document.id, ENGLISH)
    finally:
        client.call("delete_document", document.id)


def test_a_preview_is_speech(client: Either) -> None:
    samples, rate = decode(client.call("voice_preview", "en-us", model="espeak"))
    assert len(samples) / rate > 0.5


def test_a_voice_that_fails_midway_never_looks_whole(client: Either) -> None:
    failing = Voicing("failing", model="hum")
    text = "A tone that will not end well. " * 3
    with pytest.raises(SpeechFailedError):
        client.collect("speak_events", text, failing, audio_format="wav")
    with pytest.raises(ConnectionLostError):
        client.call("speak", text, failing, audio_format="wav")


def test_a_mix_is_a_mix_however_it_is_written(client: Either) -> None:
    def samples(voice: Any) -> Any:
        return decode(client.call("speak", "Hello there.", voice=voice, model="kokoro", audio_format="flac"))[0]

    mixed = samples({"af_heart": 2, "af_sky": 1})
    assert np.array_equal(mixed, samples("af_heart(2)+af_sky(1)"))
    assert not np.array_equal(mixed, samples("af_heart"))


def test_every_field_of_a_voicing_is_known_to_the_server(client: Either) -> None:
    voicing = Voicing(
        "af_heart",
        model="kokoro",
        speed=1.2,
        language="en-US",
        instructions="Whisper.",
        lexicon={"kettle": "kˈɛtᵊl"},
        normalization={"urls": False, "numbers": True},
        seed=7,
        lane="batch",
    )
    assert client.call("speak", "The kettle sang.", voicing, audio_format="flac")
    assert client.call("words", "The kettle sang.", voicing).words


def test_a_model_refuses_what_it_cannot_do(client: Either) -> None:
    with pytest.raises(ApiError, match="lexicon"):
        client.call("speak", TEXT, Voicing("hum", model="hum"), lexicon={"kettle": "kɛtl"})


def test_the_direct_client_has_the_same_words(client: Either, triton_address: str) -> None:
    with Triton(triton_address) as triton:
        card = triton.card("espeak")
        chunks = list(triton.speak_timed("espeak", TEXT, **card.options(ENGLISH)))
    words = [word for chunk in chunks for word in chunk.words]
    from_rest = client.call("words", TEXT, ENGLISH).words
    assert [(word.word, word.text_start, word.text_end) for word in words] == [
        (word.word, word.text_start, word.text_end) for word in from_rest
    ]
    assert all(word.end <= sum(chunk.audio.size for chunk in chunks) / card.sample_rate for word in words)


def test_the_direct_client_mixes_voices(triton_address: str) -> None:
    with Triton(triton_address) as triton:
        card = triton.card("kokoro")

        def samples(voice: Any) -> Any:
            chunks = triton.speak_timed("kokoro", "Hello there.", **card.options(Voicing(voice)))
            return np.concatenate([chunk.audio for chunk in chunks])

        mixed = samples("af_heart(2)+af_sky(1)")
        assert np.array_equal(mixed, samples({"af_sky": 1, "af_heart": 2}))
        assert not np.array_equal(mixed, samples("af_heart"))


@pytest.mark.usefixtures("here")
def test_the_command_line_writes_audio_and_captions_of_one_synthesis(stack: Stack) -> None:
    made = metric(stack.url, "lectern_segments_total", source="made")
    text = "Nobody has said just this before."
    spoken = ["--voice", "en-us", "--model", "espeak"]
    assert main(["speak", text, "-o", "a.flac", "--captions", "a.json", *spoken]) == 0
    assert metric(stack.url, "lectern_segments_total", source="made") == made + 1
    samples, rate = decode(Path("a.flac").read_bytes())
    timing = json.loads(Path("a.json").read_text())
    assert timing["duration"] == pytest.approx(len(samples) / rate, abs=0.001)
    assert " ".join(word["word"] for word in timing["words"]).strip(".") == text.strip(".")


def test_the_command_line_plays(here: Path, stack: Stack) -> None:
    command, heard = players.listening(here)
    spoken = ["--voice", "en-us", "--model", "espeak", "--play", "--player", command]
    assert main(["speak", TEXT, *spoken]) == 0
    samples, rate = decode(heard.read_bytes())
    assert len(samples) / rate > 3
    assert main(["speak", TEXT, *spoken, "--triton", stack.triton_address]) == 0
    assert len(decode(heard.read_bytes())[0]) == pytest.approx(len(samples), rel=0.1)


def test_a_player_that_goes_away_ends_the_work(here: Path) -> None:
    """The voice takes half a second for each tenth of one, so that only an early end ends soon."""
    command, _ = players.leaving(here)
    text = "A tone that nobody wants to hear to its end. " * 20
    assert main(["speak", text, "--voice", "crawling", "--model", "hum", "--play", "--player", command]) == 0


@pytest.mark.usefixtures("here")
def test_the_command_line_reads_with_captions() -> None:
    Path("a.txt").write_text(TEXT)
    spoken = ["--voice", "en-us", "--model", "espeak"]
    assert main(["read", "a.txt", "-o", "a.opus", "--captions", "a.srt", *spoken]) == 0
    assert main(["captions", "a.txt", "-o", "b.srt", *spoken]) == 0
    assert Path("a.srt").read_text() == Path("b.srt").read_text()
    assert "The kettle sang on the stove." in Path("a.srt").read_text()

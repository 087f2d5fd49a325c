"""Dialogues and loudness through the Python client and the command line, against a real stack."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lectern import ApiError, AsyncClient, Client, Done, Turn, Voicing
from lectern.cli.main import main
from tests.integration.audio import decode
from tests.stack import Stack
from tests.unit.client.either import Asyncio, Either, Threads

ESPEAK = Voicing(model="espeak")
TURNS = [Turn("Who is there?", "en-us"), Turn("Only the wind.", "en-gb", pause=1.5)]
TAGGED_TEXT = "[voice:en-us] Who is there? [pause:1.5s] [voice:en-gb] Only the wind."


@pytest.fixture(params=[Client, AsyncClient])
def client(request: pytest.FixtureRequest, stack: Stack) -> Iterator[Either]:
    made = request.param(stack.url, api_key=stack.api_key)
    with Threads(made) if request.param is Client else Asyncio(made) as either:
        yield either


def seconds(audio: bytes) -> float:
    samples, rate = decode(audio)
    return len(samples) / rate


def alone(client: Either, turn: Turn) -> float:
    return seconds(client.call("speak", turn.text, ESPEAK, voice=turn.voice, audio_format="flac"))


@pytest.mark.parametrize("text", [TURNS, TAGGED_TEXT])
def test_a_dialogue_is_its_turns_and_pauses(client: Either, text: Any) -> None:
    together = seconds(client.call("dialogue", text, ESPEAK, audio_format="flac"))
    assert together == pytest.approx(sum(alone(client, turn) for turn in TURNS) + 1.5, abs=0.5)


def test_a_turn_has_its_own_speed(client: Either) -> None:
    slow = seconds(client.call("dialogue", [Turn("Only the wind.", "en-us", speed=0.5)], ESPEAK, audio_format="flac"))
    assert slow > 1.5 * alone(client, Turn("Only the wind.", "en-us"))


def test_marks_are_text_unless_they_are_asked_for(client: Either) -> None:
    read_out = client.call("speak", TAGGED_TEXT, ESPEAK, voice="en-us", audio_format="flac")
    obeyed = client.call("speak", TAGGED_TEXT, ESPEAK, voice="en-us", audio_format="flac", dialogue=True)
    assert seconds(read_out) > seconds(obeyed)


def test_events_of_a_dialogue(client: Either) -> None:
    done = client.collect("speak_events", TURNS, ESPEAK, audio_format="flac")[-1]
    assert isinstance(done, Done)
    assert done.usage.seconds > 1.5


@pytest.mark.parametrize("text", [TURNS, TAGGED_TEXT])
def test_captions_of_a_dialogue_know_the_pause(client: Either, text: Any) -> None:
    marked = isinstance(text, str)
    words = client.call("words", text, ESPEAK, dialogue=marked).words
    assert [word.word.strip("?.") for word in words] == ["Who", "is", "there", "Only", "the", "wind"]
    assert words[3].start - words[2].end >= 1.4
    assert client.call("captions", text, ESPEAK, dialogue=marked).count("-->") == 2


def test_a_voice_that_there_is_not(client: Either) -> None:
    with pytest.raises(ApiError) as raised:
        client.call("dialogue", [Turn("Hello.", "nobody")], ESPEAK)
    assert raised.value.status == 400


def test_loudness_is_that_of_the_whole(client: Either) -> None:
    def level(target: float) -> float:
        samples, _ = decode(client.call("speak", TURNS[0].text, ESPEAK, audio_format="flac", loudness=target))
        return float(20 * np.log10(np.sqrt(np.mean(samples.astype(float) ** 2))))

    assert level(-20.0) - level(-30.0) == pytest.approx(10.0, abs=0.5)


def test_the_command_line_speaks_a_script(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LECTERN_URL", stack.url)
    monkeypatch.setenv("LECTERN_API_KEY", stack.api_key)
    monkeypatch.chdir(tmp_path)
    Path("dialogue.txt").write_text("en-us: Who is there?\nen-gb: Only the wind.\n")
    options = ["--model", "espeak", "--loudness", "-20", "--captions", "a.srt"]
    assert main(["dialogue", "dialogue.txt", "-o", "a.wav", *options]) == 0
    assert seconds(Path("a.wav").read_bytes()) > 1
    assert Path("a.srt").read_text().count("-->") == 2

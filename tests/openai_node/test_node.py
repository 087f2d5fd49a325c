"""OpenAI's client for Node, unchanged. speak.mjs calls it; what it heard is judged here."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.audio.formats import AUDIO_FORMATS, CONTAINERS, AudioFormat
from tests.integration.audio import decode
from tests.stack import Stack

FOLDER = Path(__file__).parent
NODE = Path(sys.executable).with_name("node")


@pytest.fixture(scope="session")
def heard(stack: Stack) -> dict[str, Any]:
    assert (FOLDER / "node_modules" / "openai").exists(), "run 'make test', which installs OpenAI's client for Node"
    run = subprocess.run(
        [NODE, "speak.mjs"],
        cwd=FOLDER,
        env={**os.environ, "LECTERN_URL": f"{stack.url}/v1", "LECTERN_KEY": stack.api_key},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return dict(json.loads(run.stdout))


def seconds(audio: str, audio_format: AudioFormat) -> float:
    data = base64.b64decode(audio)
    if audio_format == "pcm":
        return len(data) / 2 / 24_000
    samples, rate = decode(data)
    return len(samples) / rate


@pytest.mark.parametrize("audio_format", AUDIO_FORMATS)
def test_every_format_is_heard(heard: dict[str, Any], audio_format: AudioFormat) -> None:
    one = heard["formats"][audio_format]
    assert one["type"] == CONTAINERS[audio_format].content_type
    assert 1.5 < seconds(one["audio"], audio_format) < 8


def test_models_are_listed(heard: dict[str, Any]) -> None:
    assert {"espeak", "hum"} <= set(heard["models"])


def test_a_long_text_comes_in_pieces(heard: dict[str, Any]) -> None:
    assert heard["streamed"]["chunks"] > 3
    assert seconds(heard["streamed"]["audio"], "mp3") > 60


def test_events_are_read(heard: dict[str, Any]) -> None:
    events = heard["events"]
    audio = b"".join(base64.b64decode(one["audio"]) for one in events if one["type"] == "speech.audio.delta")
    samples, rate = decode(audio)
    assert events[-1]["type"] == "speech.audio.done"
    assert events[-1]["usage"]["seconds"] == pytest.approx(len(samples) / rate, abs=0.002)
    words = [word["word"] for one in events if one["type"] == "speech.audio.words" for word in one["words"]]
    assert words[:3] == ["The", "kettle", "sang"]


@pytest.mark.parametrize(
    ("case", "kind", "status", "message"),
    [
        ("voice", "BadRequestError", 400, "There is no voice 'nobody'"),
        ("model", "BadRequestError", 400, "Try espeak"),
        ("field", "BadRequestError", 400, "colour"),
        ("failed", "InternalServerError", 502, "model failed"),
        ("key", "AuthenticationError", 401, "key"),
    ],
)
def test_errors_are_the_clients_own(heard: dict[str, Any], case: str, kind: str, status: int, message: str) -> None:
    refusal = heard["refusals"][case]
    assert (refusal["kind"], refusal["status"]) == (kind, status)
    assert message in refusal["message"]
    assert refusal["type"] in ("invalid_request_error", "server_error")


def test_speech_that_fails_midway_is_never_taken_for_whole(heard: dict[str, Any]) -> None:
    assert heard["brokenOff"] == "TypeError"  # what Node's fetch calls a broken connection


def test_a_voice_may_be_an_object(heard: dict[str, Any]) -> None:
    assert heard["object"] is True

"""Custom voices by the Python client and the command line, against a real stack."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from lectern import ApiError, AsyncClient, Client, NotFoundError, Turn
from lectern.cli.main import main
from tests.integration.audio import decode
from tests.integration.custom_voices import MODEL, TEXT
from tests.recordings import CONSENT, TRANSCRIPT, file, pitch, silence, tone
from tests.stack import Stack
from tests.unit.client.either import Asyncio, Either, Threads


@pytest.fixture(params=[Client, AsyncClient])
def client(request: pytest.FixtureRequest, stack: Stack) -> Iterator[Either]:
    made = request.param(stack.url, api_key=stack.api_key)
    with Threads(made) if request.param is Client else Asyncio(made) as either:
        yield either


def test_a_whole_life(client: Either) -> None:
    name = f"Ada {uuid4().hex[:8]}"
    said = {"transcript": TRANSCRIPT, "consent": CONSENT, "speaker": "Ada Lovelace", "model": MODEL}
    made = client.call("create_voice", file(tone(340)), name=name, **said)
    try:
        assert made.prompt.consent.statement == CONSENT
        assert made.id in {voice.id for voice in client.call("voices", model=MODEL)}
        assert client.call("get_voice", made.id) == made
        spoken = client.call("speak", TEXT, voice=made.slug, audio_format="flac")
        assert pitch(*decode(spoken)) == pytest.approx(340, abs=3)
        turns = client.call("dialogue", [Turn(TEXT, made.id), Turn(TEXT, made.name)], audio_format="flac")
        assert pitch(*decode(turns)) == pytest.approx(340, abs=3)
        assert pitch(*decode(client.call("voice_preview", made.id))) == pytest.approx(340, abs=3)
        assert pitch(*decode(client.call("voice_recording", made.id))) == pytest.approx(340, abs=3)
        changed = client.call("change_voice", made.id, description="Warm", name=f"{name} the second")
        assert (changed.description, changed.slug) == ("Warm", f"{made.slug}-the-second")
    finally:
        client.call("delete_voice", made.id)
    with pytest.raises(NotFoundError):
        client.call("get_voice", made.id)


def test_a_mix(client: Either) -> None:
    made = client.call("create_mix", f"Mix {uuid4().hex[:8]}", {"af_heart": 2, "ef_dora": 1})
    try:
        mixed, saved = (
            decode(client.call("speak", TEXT, voice=voice, audio_format="wav"))[0]
            for voice in ({"af_heart": 2, "ef_dora": 1}, made.id)
        )
        assert np.array_equal(mixed, saved)
    finally:
        client.call("delete_voice", made.id)


def test_all_that_is_wrong_is_told(client: Either) -> None:
    with pytest.raises(ApiError) as raised:
        client.call("create_voice", file(silence(5)), name="", transcript=TRANSCRIPT, consent="yes", speaker="Ada")
    assert [error.field for error in raised.value.errors] == ["name", "consent", "audio"]


def test_on_the_command_line(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LECTERN_URL", stack.url)
    monkeypatch.setenv("LECTERN_API_KEY", stack.api_key)
    monkeypatch.chdir(tmp_path)
    Path("ada.mp3").write_bytes(file(tone(420), container="mp3", codec="libmp3lame"))
    Path("ada.txt").write_text(TRANSCRIPT)
    name = f"cli-{uuid4().hex[:8]}"
    new = ["--audio", "ada.mp3", "--transcript", "ada.txt", "--speaker", "Ada", "--consent", CONSENT, "--model", MODEL]
    assert main(["voices", "add", name, *new, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    try:
        assert main(["voices", "list", "--model", MODEL]) == 0
        assert name in capsys.readouterr().out
        assert main(["speak", TEXT, "--voice", name, "-o", "a.wav"]) == 0
        assert pitch(*decode(Path("a.wav").read_bytes())) == pytest.approx(420, abs=3)
        assert main(["voices", "preview", name, "-o", "p.mp3"]) == 0
        assert pitch(*decode(Path("p.mp3").read_bytes())) == pytest.approx(420, abs=3)
        assert main(["voices", "change", name, "--description", "By hand"]) == 0
        assert "By hand" in capsys.readouterr().out
    finally:
        assert main(["voices", "delete", made["id"]]) == 0
    assert main(["voices", "show", made["id"]]) == 1
    assert main(["voices", "add", name, *new[:-2], "--model", "espeak"]) == 1
    assert "takes no prompts" in capsys.readouterr().err

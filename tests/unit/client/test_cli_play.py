"""`--play`: audio into a player, as it comes."""

import json
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lectern.cli.main import main
from tests.unit.client import players
from tests.unit.client.fake_server import Answer, FakeServer
from tests.unit.client.fake_triton import FakeTriton, chunk, endless

SPEECH = "/v1/audio/speech"
LIVENESS = 60.0  # seconds; far above what any of this takes
SAMPLES = b"\1\0\2\0\3\0\xfc\xff\xfb\xff"


@pytest.fixture(autouse=True)
def _here(server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LECTERN_URL", server.url)
    monkeypatch.setenv("LECTERN_API_KEY", "secret")
    monkeypatch.setenv("PATH", str(tmp_path))  # so that only those players are found that a test installs
    monkeypatch.chdir(tmp_path)
    server.answer("POST", SPEECH, Answer(body=b"OggS", framing="chunked"))


def play(command: str, *more: str) -> int:
    return main(["speak", "hello", "--play", "--player", command, *more])


def test_a_player_hears_all_of_it(server: FakeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command, heard = players.listening(tmp_path)
    assert play(command) == 0
    assert heard.read_bytes() == b"OggS"
    assert server.asked[0].body["response_format"] == "wav"
    said = capsys.readouterr()
    assert said.out.startswith("played: 4 bytes")
    assert said.err == ""


def test_json_and_a_format(server: FakeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command, _ = players.listening(tmp_path)
    assert play(command, "--json", "--format", "flac") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["file"], said["format"], said["bytes"], said["heard_out"]) == (None, "flac", 4, True)
    assert server.asked[0].body["response_format"] == "flac"


@pytest.mark.parametrize(
    ("name", "asked", "argument"),
    [
        ("ffplay", "opus", "-autoexit"),
        ("mpv", "opus", "--no-video"),
        ("paplay", "pcm", "24000"),
        ("aplay", "pcm", "24000"),
    ],
)
def test_a_known_player_is_found(server: FakeServer, tmp_path: Path, name: str, asked: str, argument: str) -> None:
    heard = players.installed(tmp_path, name)
    assert main(["speak", "hello", "--play"]) == 0
    arguments, audio = heard.read_bytes().split(b"\n", 1)
    assert argument in arguments.decode()
    assert audio == b"OggS"
    assert server.asked[0].body["response_format"] == asked


def test_a_player_of_samples_is_told_their_rate(tmp_path: Path) -> None:
    heard = players.installed(tmp_path, "aplay")
    assert main(["speak", "hello", "--play", "--sample-rate", "8000"]) == 0
    assert "-r 8000" in heard.read_text()


def test_the_format_decides_between_players(server: FakeServer, tmp_path: Path) -> None:
    players.installed(tmp_path, "ffplay")
    heard = players.installed(tmp_path, "aplay")
    assert main(["speak", "hello", "--play", "--format", "pcm"]) == 0
    assert "S16_LE" in heard.read_text()
    assert server.asked[0].body["response_format"] == "pcm"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--play"], "no player was found: install one of ffplay"),
        (["--play", "--format", "pcm"], "install one of paplay, aplay"),
        (["--play", "--player", "nowhere --loud"], "cannot start the player nowhere"),
        (["--play", "--player", "'"], "--player"),
        (["--play", "--player", " "], "names no program"),
        (["-o", "a.wav", "--player", "x"], "--player is for --play"),
    ],
)
def test_what_cannot_be_followed(
    server: FakeServer, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["speak", "hello", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert server.asked == []


def test_a_file_or_a_player_and_not_both() -> None:
    for arguments in (["--play", "-o", "a.wav"], []):
        with pytest.raises(SystemExit) as raised:
            main(["speak", "hello", *arguments])
        assert raised.value.code == 2


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (3, 1)])
def test_a_player_that_goes_away_ends_the_speech(
    fake: FakeTriton, tmp_path: Path, capsys: pytest.CaptureFixture[str], code: int, expected: int
) -> None:
    command, left = players.leaving(tmp_path, code)

    def unending(request: Any, context: Any) -> Iterator[Any]:  # noqa: ARG001
        context.add_callback(fake.cancelled.set)
        while not fake.cancelled.wait(0.01):
            yield chunk([1, 2, 3])

    fake.scripts["hello"] = unending
    assert play(command, "--triton", fake.address, "--json", "--captions", "a.srt") == expected
    assert left.exists()
    assert fake.cancelled.wait(LIVENESS)
    said = capsys.readouterr()
    if code:
        assert "ended with exit code 3" in said.err
    else:
        assert json.loads(said.out)["heard_out"] is False
        assert said.err == ""
    assert not Path("a.srt").exists()


def test_a_player_that_leaves_stops_the_download(
    server: FakeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, _ = players.leaving(tmp_path)
    server.answer("POST", SPEECH, Answer(body=b"OggS" * 2_000_000, framing="chunked"))
    assert play(command) == 0
    assert "then the player went away" in capsys.readouterr().out


def test_a_speech_that_fails_ends_the_player(
    server: FakeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, heard = players.listening(tmp_path)
    server.answer("POST", SPEECH, Answer(body=b"OggS", framing="chunked-cut"))
    assert play(command) == 1
    assert "connection to" in capsys.readouterr().err
    assert not heard.exists(), "half of it is not played as if it were all"


class TestDirectly:
    def test_samples_come_behind_a_header_of_unknown_length(self, fake: FakeTriton, tmp_path: Path) -> None:
        command, heard = players.listening(tmp_path)
        assert play(command, "--triton", fake.address) == 0
        written = heard.read_bytes()
        assert written[:4] + written[8:12] == b"RIFFWAVE"
        assert struct.unpack_from("<HIIHH", written, 22) == (1, 22050, 44100, 2, 16)
        assert struct.unpack_from("<I", written, 40) == (0xFFFFFFFF,)
        assert written[44:] == SAMPLES

    def test_a_player_of_samples_has_the_models_rate(self, fake: FakeTriton, tmp_path: Path) -> None:
        heard = players.installed(tmp_path, "aplay")
        assert main(["speak", "hello", "--play", "--triton", fake.address]) == 0
        arguments, audio = heard.read_bytes().split(b"\n", 1)
        assert b"-r 22050" in arguments
        assert audio == SAMPLES

    def test_a_player_of_files_gets_wave(self, fake: FakeTriton, tmp_path: Path) -> None:
        heard = players.installed(tmp_path, "mpv")
        assert main(["speak", "hello", "--play", "--triton", fake.address]) == 0
        assert heard.read_bytes().split(b"\n", 1)[1].startswith(b"RIFF")

    def test_interrupting_ends_the_player_too(self, fake: FakeTriton, tmp_path: Path) -> None:
        command, heard = players.listening(tmp_path)
        begun = threading.Event()

        def script(request: Any, context: Any) -> Any:
            begun.set()
            yield from endless(fake)(request, context)

        fake.scripts["hello"] = script
        arguments = ["speak", "hello", "--play", "--player", command, "--triton", fake.address]
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it in the background
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "lectern.cli.main", *arguments],
                stderr=subprocess.PIPE,
            )
        finally:
            signal.signal(signal.SIGINT, before)
        assert begun.wait(LIVENESS)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=LIVENESS)  # the player holds stderr open while it lives
        assert (process.returncode, said) == (130, b"")
        assert fake.cancelled.wait(LIVENESS)
        assert not heard.exists(), "it was told to end, and heard no end of the audio"

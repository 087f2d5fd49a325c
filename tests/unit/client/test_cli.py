"""The command line, against a scripted server and a scripted Triton."""

import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lectern.cli.main import main
from tests.unit.client.bodies import DOCUMENTS, audio_path
from tests.unit.client.fake_server import Answer, FakeServer
from tests.unit.client.fake_triton import FakeTriton, endless, inputs, says

SPEECH = "/v1/audio/speech"
LIVENESS = 60.0  # seconds; far above what any of this takes


@pytest.fixture(autouse=True)
def _server_from_the_environment(server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LECTERN_URL", server.url)
    monkeypatch.setenv("LECTERN_API_KEY", "secret")
    monkeypatch.chdir(tmp_path)
    server.answer("POST", SPEECH, Answer(body=b"OggS", framing="chunked"))


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "lectern.cli.main", *arguments]


class TestSpeak:
    def test_a_text_becomes_a_file(self, server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["speak", "hello", "-o", "hello.opus", "--voice", "en-us", "--speed", "1.5"]) == 0
        assert Path("hello.opus").read_bytes() == b"OggS"
        assert server.asked[0].body["voice"] == "en-us"
        said = capsys.readouterr()
        assert said.out.startswith("hello.opus: 4 bytes")
        assert said.err == ""

    @pytest.mark.parametrize(
        ("output", "option", "asked"),
        [
            ("a.opus", [], "opus"),
            ("a.ogg", [], "opus"),
            ("a.WAV", [], "wav"),
            ("a.mp3", [], "mp3"),
            ("a.raw", [], "pcm"),
            ("a", [], "opus"),
            ("a.opus", ["--format", "flac"], "flac"),
        ],
    )
    def test_the_format_follows_the_name(self, server: FakeServer, output: str, option: list[str], asked: str) -> None:
        assert main(["speak", "hello", "-o", output, *option]) == 0
        assert server.asked[0].body["response_format"] == asked

    def test_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["speak", "hello", "-o", "a.opus", "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["file"], said["format"], said["bytes"]) == ("a.opus", "opus", 4)

    def test_stdin_to_stdout(self, server: FakeServer) -> None:
        done = subprocess.run(command("speak", "-", "-o", "-"), input="héllo".encode(), capture_output=True, check=True)
        assert done.stdout == b"OggS"
        assert done.stderr.startswith(b"-: 4 bytes")
        assert server.asked[0].body["input"] == "héllo"

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["speak", "  ", "-o", "a.opus"], "nothing to speak"),
            (["speak", "hello", "-o", "a.doc"], ".doc"),
            (["speak", "hello", "-o", "nowhere/a.opus"], "no folder nowhere"),
            (["speak", "hello", "-o", "."], "is a folder"),
            (["speak", "hello", "-o", "-", "--json"], "--json"),
            (["speak", "hello", "-o", "a.opus", "--url", "ftp://a"], "not a web address"),
            (["speak", "hello", "-o", "a.wav", "--triton", "localhost"], "host:port"),
            (["speak", "hello", "-o", "a.opus", "--triton", "127.0.0.1:1"], "use .wav or .pcm"),
            (["speak", "x" * 2001, "-o", "a.wav", "--triton", "127.0.0.1:1"], "2000 characters"),
            (["read", "nowhere.md", "-o", "a.opus"], "cannot read nowhere.md"),
            (["read", "latin.txt", "-o", "a.opus"], "not UTF-8"),
            (["read", "latin.txt", "-o", "a.opus", "--triton", "127.0.0.1:1"], "--triton cannot read documents"),
        ],
    )
    def test_what_cannot_be_followed(
        self, server: FakeServer, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
    ) -> None:
        Path("latin.txt").write_bytes(b"\xe9t\xe9")
        assert main(arguments) == 2
        said = capsys.readouterr()
        assert message in said.err
        assert said.err.count("\n") == 1
        assert server.asked == []
        assert list(Path().glob("*a.*")) == []

    def test_argparse_uses_the_same_code(self) -> None:
        with pytest.raises(SystemExit) as raised:
            main(["speak", "hello"])
        assert raised.value.code == 2

    def test_a_failure_is_one_line_and_leaves_no_file(
        self, server: FakeServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        server.answer("POST", SPEECH, Answer(body=b"OggS", framing="chunked-cut"))
        assert main(["speak", "hello", "-o", "a.opus"]) == 1
        said = capsys.readouterr()
        assert said.err.startswith("lectern: the connection to")
        assert said.err.count("\n") == 1
        assert list(Path().glob("*")) == []

    def test_a_full_disk_is_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["speak", "hello", "-o", "/dev/full"]) == 1
        assert "No space left" in capsys.readouterr().err


@pytest.fixture
def heard_interrupts() -> Iterator[None]:
    """A shell ignores SIGINT in what it starts in the background, and so would the commands that are tested here."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class TestSpeakDirectly:
    def test_wave(self, fake: FakeTriton, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["speak", "hello", "-o", "a.wav", "--triton", fake.address, "--json"]) == 0
        with wave.open("a.wav", "rb") as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22050)
            assert file.readframes(100) == b"\1\0\2\0\3\0\xfc\xff\xfb\xff"
        said = json.loads(capsys.readouterr().out)
        assert (said["model"], said["voice"], said["sample_rate"]) == ("speaker", None, 22050)
        assert inputs(fake.requests[-1])["voice"] == "{}"

    def test_plain_samples(self, fake: FakeTriton) -> None:
        assert main(["speak", "hello", "-o", "a.pcm", "--triton", fake.address, "--voice", "en-us"]) == 0
        assert Path("a.pcm").read_bytes() == b"\1\0\2\0\3\0\xfc\xff\xfb\xff"
        assert inputs(fake.requests[-1])["voice"] == '{"variant":"f2"}'

    def test_an_unknown_voice(self, fake: FakeTriton, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["speak", "hello", "-o", "a.wav", "--triton", fake.address, "--voice", "x"]) == 2
        assert "no voice 'x'" in capsys.readouterr().err
        assert list(Path().glob("*")) == []

    def test_a_busy_model(self, fake: FakeTriton, capsys: pytest.CaptureFixture[str]) -> None:
        fake.scripts["hello"] = says("UNAVAILABLE: the live queue is full", from_model=True, after=1)
        assert main(["speak", "hello", "-o", "a.wav", "--triton", fake.address]) == 1
        assert capsys.readouterr().err == "lectern: speaker: the live queue is full\n"
        assert list(Path().glob("*")) == []

    @pytest.mark.usefixtures("heard_interrupts")
    def test_interrupting_cancels_the_request_and_leaves_no_file(self, fake: FakeTriton) -> None:
        begun = threading.Event()

        def script(request: Any, context: Any) -> Any:
            begun.set()
            yield from endless(fake)(request, context)

        fake.scripts["hello"] = script
        process = subprocess.Popen(
            command("speak", "hello", "-o", "a.wav", "--triton", fake.address), stderr=subprocess.PIPE
        )
        assert begun.wait(LIVENESS)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=LIVENESS)
        assert (process.returncode, said) == (130, b"")
        assert fake.cancelled.wait(LIVENESS)
        assert list(Path().glob("*")) == []


class TestRead:
    def test_a_document_becomes_a_file(self, book: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
        Path("book.txt").write_text("hello")
        assert main(["read", "book.txt", "-o", "book.opus", "--at-once", "2"]) == 0
        assert Path("book.opus").read_bytes() == b"OggS" * 100
        posted = next(asked for asked in book.asked if asked.method == "POST")
        assert posted.body == {"text": "hello", "format": "text"}
        assert "7 blocks, 14 s of audio" in capsys.readouterr().out
        assert not any(asked.method == "DELETE" for asked in book.asked)

    @pytest.mark.parametrize(("options", "lane"), [([], "batch"), (["--lane", "live"], "live")])
    def test_it_yields_to_those_who_listen(self, book: FakeServer, options: list[str], lane: str) -> None:
        Path("book.txt").write_text("hello")
        assert main(["read", "book.txt", "-o", "book.opus", *options]) == 0
        assert {asked.query["lane"][0] for asked in book.asked if asked.path.endswith("/audio")} == {lane}

    def test_a_block_that_cannot_be_spoken_is_named_with_its_reason(
        self, book: FakeServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("book.txt").write_text("hello")
        problem = {"title": "Bad request", "detail": "The model refused this: it is too long."}
        book.answer("HEAD", audio_path(3), Answer(400))
        book.answer("GET", audio_path(3), Answer.json(problem, 400))
        book.answer("GET", f"{DOCUMENTS}/d1/captions", Answer(body=b"1\n"))
        reading = ["read", "book.txt", "-o", "book.opus", "--captions", "book.srt"]
        assert main(reading) == 3
        assert Path("book.opus").read_bytes() == b"OggS" * 100
        assert Path("book.srt").exists()
        said = capsys.readouterr()
        assert said.err.splitlines() == [
            'lectern: block 4 ("hello") could not be spoken: 400 Bad request: The model refused this: it is too long.',
            "lectern: 1 of 7 blocks could not be spoken",
        ]
        assert "6 of 7 blocks, 12 s of audio" in said.out
        assert main([*reading, "--json"]) == 3
        (failed,) = json.loads(capsys.readouterr().out)["failed"]
        assert (failed["block"], failed["id"], failed["text"]) == (4, "b3", "hello")
        assert "too long" in failed["reason"]

    def test_json(self, book: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
        Path("book.md").write_text("hello")
        assert main(["read", "book.md", "-o", "book.opus", "--json", "--title", "T"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["document"], said["blocks"], said["audio_seconds"], said["bytes"]) == ("d1", 7, 14.0, 400)
        posted = next(asked for asked in book.asked if asked.method == "POST")
        assert posted.body == {"text": "hello", "format": "markdown", "title": "T"}

    def test_a_failure_leaves_no_file(self, book: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
        Path("book.md").write_text("hello")
        book.answer("GET", f"{DOCUMENTS}/d1/audio", Answer(body=b"OggS", framing="chunked-cut"))
        assert main(["read", "book.md", "-o", "book.opus"]) == 1
        assert capsys.readouterr().err.count("\n") == 1
        assert list(Path().glob("*")) == [Path("book.md")]

    @pytest.mark.usefixtures("book")
    def test_progress_is_shown_on_terminals_only(self) -> None:
        Path("book.md").write_text("hello")
        reading = command("read", "book.md", "-o", "book.opus")
        piped = subprocess.run(reading, capture_output=True, check=True)
        assert piped.stderr == b""
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 120))
        subprocess.run(reading, stdout=subprocess.DEVNULL, stderr=theirs, check=True)
        shown = os.read(ours, 65536).decode()
        os.close(theirs)
        os.close(ours)
        assert "7/7" in shown
        assert "14 s of audio" in shown
        assert "times real time" in shown


class TestVoices:
    def test_a_table(self, server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
        voice = {"name": "en-us", "model": "espeak", "language": "en-US", "gender": None, "description": "plain"}
        server.answer("GET", "/api/v1/voices", Answer.json({"items": [voice]}))
        assert main(["voices", "--language", "en"]) == 0
        assert capsys.readouterr().out.splitlines() == [
            "NAME   MODEL   LANGUAGE  GENDER  DESCRIPTION",
            "en-us  espeak  en-US     -       plain",
        ]
        assert server.asked[0].query == {"language": ["en"]}

    def test_of_triton(self, fake: FakeTriton, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["voices", "--triton", fake.address, "--json"]) == 0
        (voice,) = json.loads(capsys.readouterr().out)["items"]
        assert (voice["name"], voice["model"]) == ("en-us", "speaker")
        assert main(["voices", "--triton", fake.address, "--json", "--language", "de"]) == 0
        assert json.loads(capsys.readouterr().out) == {"items": []}

    def test_a_reader_that_leaves_is_no_error_message(self, server: FakeServer) -> None:
        voice = {"name": "v" * 200, "model": "espeak", "language": "en", "gender": None, "description": "d" * 200}
        server.answer("GET", "/api/v1/voices", Answer.json({"items": [voice] * 2000}))
        process = subprocess.Popen(command("voices"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait(LIVENESS) == 1


class TestStatus:
    @pytest.mark.parametrize(("word", "code"), [("ready", 0), ("unready", 1)])
    def test_the_exit_code_tells(
        self, server: FakeServer, capsys: pytest.CaptureFixture[str], word: str, code: int
    ) -> None:
        checks = [{"name": "database", "ok": code == 0, "detail": "answers", "age_seconds": 2.0}]
        answer = Answer.json({"status": word, "version": "1", "checks": checks}, 503 if code else 200)
        server.answer("GET", "/readyz", answer)
        assert main(["status"]) == code
        said = capsys.readouterr().out
        assert f"{server.url} is {word}" in said
        assert "database: answers, 2 s ago" in said

    def test_of_triton(self, fake: FakeTriton, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["status", "--triton", fake.address, "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["status"], said["version"]) == ("ready", "2.51.0")
        assert [check["name"] for check in said["checks"]] == ["model speaker"]

    def test_of_a_triton_whose_model_fails(self, fake: FakeTriton, capsys: pytest.CaptureFixture[str]) -> None:
        fake.scripts["ready"] = says("Stub process is not healthy", from_model=True)
        assert main(["status", "--triton", fake.address]) == 1
        assert "failed  model speaker" in capsys.readouterr().out

    def test_nobody_there(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["status", "--url", "http://127.0.0.1:1"]) == 1
        assert "nobody answers" in capsys.readouterr().err


def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["speak", "--help"], ["read", "--help"], ["voices", "--help"], ["status", "--help"]):
        with pytest.raises(SystemExit) as raised:
            main(arguments)
        assert raised.value.code == 0
        assert "exit codes:" in capsys.readouterr().out


def _loaded(heavy: set[str], modules: str) -> str:
    program = f"import sys, {modules}; print({heavy} & set(sys.modules))"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout


def test_help_needs_no_heavy_imports() -> None:
    assert _loaded({"numpy", "grpc", "tritonclient", "tqdm"}, "lectern.cli.main") == "set()\n"


def test_the_contract_needs_no_dependency() -> None:
    heavy = {"lectern", "httpx", "msgspec", "numpy", "grpc", "tritonclient", "tqdm"}
    assert _loaded(heavy, "lectern_contract.voice_mixes") == "set()\n"

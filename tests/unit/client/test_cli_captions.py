"""Captions and dialogue on the command line, and the options that say how to speak."""

import json
from pathlib import Path

import pytest

from lectern.cli.main import main
from tests.unit.client.bodies import DOCUMENTS
from tests.unit.client.fake_server import Answer, FakeServer
from tests.unit.client.fake_triton import FakeTriton, inputs

SPEECH = "/v1/audio/speech"
CAPTIONS = "/v1/audio/captions"


@pytest.fixture(autouse=True)
def _here(server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LECTERN_URL", server.url)
    monkeypatch.setenv("LECTERN_API_KEY", "secret")
    monkeypatch.chdir(tmp_path)
    server.answer("POST", SPEECH, Answer(body=b"OggS", framing="chunked"))
    server.answer("POST", CAPTIONS, Answer(body="1\nnaïve\n".encode(), framing="chunked"))


def test_every_option_reaches_the_server(server: FakeServer) -> None:
    Path("words.json").write_text('{"Lectern": "lˈɛktɚn"}')
    options = ["--voice", "a(2)+b(1)", "--model", "m", "--speed", "1.5", "--language", "en-GB", "--lane", "batch"]
    options += ["--instructions", "Whisper.", "--lexicon", "words.json", "--markup", "--sample-rate", "16000"]
    options += ["--loudness", "-16", "--pauses", "sentence:0.6,paragraph:1.2"]
    assert main(["speak", "hello", "-o", "a.aac", *options]) == 0
    assert server.asked[0].body == {
        "input": "hello",
        "voice": "a(2)+b(1)",
        "model": "m",
        "speed": 1.5,
        "language": "en-GB",
        "pauses": {"sentence": 0.6, "paragraph": 1.2},
        "lane": "batch",
        "instructions": "Whisper.",
        "lexicon": {"Lectern": "lˈɛktɚn"},
        "markup": True,
        "response_format": "aac",
        "sample_rate": 16000,
        "loudness": -16.0,
    }


@pytest.mark.parametrize("name", ["a.srt", "a.VTT", "a.json"])
def test_captions_beside_the_audio(server: FakeServer, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["speak", "hello", "-o", "a.opus", "--captions", name, "--voice", "en-us", "--json"]) == 0
    assert Path("a.opus").read_bytes() == b"OggS"
    assert Path(name).read_text() == "1\nnaïve\n"
    expected = {"input": "hello", "voice": "en-us", "caption_format": name[-4:].strip(".").lower()}
    assert server.asked[1].body == expected
    assert json.loads(capsys.readouterr().out)["captions"] == name


def test_without_its_captions_there_is_no_audio_either(server: FakeServer) -> None:
    server.answer("POST", CAPTIONS, Answer(500))
    assert main(["speak", "hello", "-o", "a.opus", "--captions", "a.srt"]) == 1
    assert list(Path().glob("*")) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["speak", "hello", "-o", "a.opus", "--captions", "a.txt"], "a.txt"),
        (["speak", "hello", "-o", "a.opus", "--captions", "nowhere/a.srt"], "no folder nowhere"),
        (["speak", "hello", "-o", "a.srt", "--format", "wav", "--captions", "./a.srt"], "cannot both go"),
        (["speak", "hello", "-o", "a.opus", "--lexicon", "list.json"], "no JSON object of words"),
        (["speak", "hello", "-o", "a.opus", "--lexicon", "nowhere.json"], "cannot read nowhere.json"),
        (["speak", "hello", "-o", "a.wav", "--loudness", "-16", "--triton", "127.0.0.1:1"], "leave out --triton"),
        (["read", "list.json", "-o", "a.opus", "--captions", "a.doc"], "a.doc"),
        (["dialogue", "talk.txt", "-o", "a.opus"], "talk.txt, line 2"),
        (["dialogue", "list.json", "-o", "a.opus"], "no list of turns"),
        (["dialogue", "empty.json", "-o", "a.opus"], "no turn to speak"),
        (["captions", "talk.txt", "-o", "a.doc"], "a.doc"),
        (["captions", "talk.txt", "-o", "-", "--json"], "--json"),
    ],
)
def test_what_cannot_be_followed(
    server: FakeServer, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    Path("talk.txt").write_text("a: Hello.\nno voice here\n")
    Path("list.json").write_text('["hello"]')
    Path("empty.json").write_text("[]")
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert server.asked == []
    assert list(Path().glob("*a.*")) == []


LINES = "\nen-us: Who is there? Me: too.\n\n  a(2)+b(1) :  Only the wind.  \n"
JSON = '[{"text": "Hello.", "voice": {"a": 1}, "pause": 1.5}, {"text": "Hi.", "speed": 0.9, "language": "en"}]'


@pytest.mark.parametrize(
    ("script", "turns"),
    [
        (
            LINES,
            [{"text": "Who is there? Me: too.", "voice": "en-us"}, {"text": "Only the wind.", "voice": "a(2)+b(1)"}],
        ),
        (
            JSON,
            [{"text": "Hello.", "voice": "a(1.0000)", "pause": 1.5}, {"text": "Hi.", "speed": 0.9, "language": "en"}],
        ),
    ],
)
def test_a_dialogue(server: FakeServer, script: str, turns: list[dict[str, object]]) -> None:
    Path("script").write_text(script)
    assert main(["dialogue", "script", "-o", "a.mp3", "--captions", "a.vtt", "--model", "m"]) == 0
    assert Path("a.mp3").read_bytes() == b"OggS"
    assert server.asked[0].body == {"turns": turns, "model": "m", "response_format": "mp3"}
    assert server.asked[1].body == {"turns": turns, "model": "m", "caption_format": "vtt"}


def test_captions_and_the_loudness_of_a_document(book: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    Path("book.md").write_text("hello")
    book.answer("GET", f"{DOCUMENTS}/d1/captions", Answer(body=b"WEBVTT\n\n", framing="chunked"))
    assert main(["read", "book.md", "-o", "book.opus", "--captions", "book.vtt", "--loudness", "-16", "--json"]) == 0
    assert Path("book.vtt").read_text() == "WEBVTT\n\n"
    assert book.asked[-1].query == {"caption_format": ["vtt"], "lane": ["batch"]}
    assert book.asked[-2].query == {"response_format": ["opus"], "loudness": ["-16.0"], "lane": ["batch"]}
    assert json.loads(capsys.readouterr().out)["captions"] == "book.vtt"


def test_captions_alone(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.txt").write_text("naïve")
    assert main(["captions", "a.txt", "-o", "a.srt", "--json"]) == 0
    assert Path("a.srt").read_text() == "1\nnaïve\n"
    assert json.loads(capsys.readouterr().out) == {"file": "a.srt", "format": "srt", "bytes": 9}
    assert main(["captions", "a.txt", "-o", "-", "--format", "vtt", "--voice", "en-us"]) == 0
    assert capsys.readouterr().out == "1\nnaïve\n"
    assert server.asked[1].body == {"input": "naïve", "voice": "en-us", "caption_format": "vtt"}


def test_captions_directly(fake: FakeTriton) -> None:
    assert main(["speak", "hello", "-o", "a.wav", "--captions", "a.json", "--triton", fake.address]) == 0
    assert json.loads(Path("a.json").read_text())["words"] == [
        {"word": "hello", "start": 0.0, "end": 0.0001, "text_start": 0, "text_end": 5}
    ]
    assert main(["speak", "hello", "-o", "a.wav", "--captions", "a.srt", "--triton", fake.address]) == 0
    assert Path("a.srt").read_text() == "1\n00:00:00,000 --> 00:00:00,001\nhello\n\n"


def test_options_reach_a_model_directly(fake: FakeTriton, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--voice", "en-us", "--language", "en-GB", "--lane", "batch", "--speed", "1.5", "--instructions", "x"]
    assert main(["speak", "hello", "-o", "a.wav", "--triton", fake.address, *options]) == 0
    asked = inputs(fake.requests[-1])
    assert (asked["voice"], asked["language"], asked["speed"]) == ('{"variant":"f2"}', "en-GB", 1.5)
    assert fake.requests[-1].parameters["lane"].string_param == "batch"
    Path("words.json").write_text('{"a": "b"}')
    assert main(["speak", "hello", "-o", "a.wav", "--triton", fake.address, "--lexicon", "words.json"]) == 2
    assert "lexicon cannot be used" in capsys.readouterr().err
    assert main(["speak", "hello", "-o", "a.wav", "--triton", fake.address, "--markup"]) == 2
    assert "markup cannot be used" in capsys.readouterr().err

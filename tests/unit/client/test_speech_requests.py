"""What the REST clients ask for when they speak; each test holds for threads and for asyncio."""

from typing import Any

import pytest

from lectern import Turn, Voicing
from tests.unit.client.bodies import DOCUMENTS
from tests.unit.client.either import Either
from tests.unit.client.fake_server import Answer, FakeServer
from tests.unit.client.streams import spoken

SPEECH = "/v1/audio/speech"
CAPTIONS = "/v1/audio/captions"
EVERYTHING: dict[str, Any] = {
    "voice": "en-us",
    "model": "espeak",
    "speed": 1.5,
    "language": "en-GB",
    "instructions": "Whisper.",
    "lexicon": {"Lectern": "lˈɛktɚn"},
    "normalization": {"urls": False},
    "pauses": {"sentence": 0.6, "paragraph": 1.2},
    "seed": 7,
    "markup": True,
    "lane": "batch",
}


@pytest.fixture(autouse=True)
def _speaking(server: FakeServer) -> None:
    server.answer("POST", SPEECH, Answer(body=b"OggS", framing="chunked"))
    server.answer("POST", CAPTIONS, Answer(body=b"1\n"))


def test_a_voicing_and_its_fields_as_keywords_are_the_same(client: Either, server: FakeServer) -> None:
    client.call("speak", "hello", Voicing(**EVERYTHING))
    client.call("speak", "hello", **EVERYTHING)
    assert server.asked[0].body == server.asked[1].body == {"input": "hello", "response_format": "opus", **EVERYTHING}


def test_keywords_go_before_the_voicing_unless_they_are_none(client: Either, server: FakeServer) -> None:
    client.call("speak", "hello", Voicing("en-us", speed=1.5), speed=2.0, voice=None)
    assert server.asked[0].body == {"input": "hello", "voice": "en-us", "speed": 2.0, "response_format": "opus"}


@pytest.mark.parametrize("mix", [{"af_heart": 2, "af_sky": 0.5}, "af_heart(2.0000)+af_sky(0.5000)"])
def test_a_mix_is_sent_by_its_name(client: Either, server: FakeServer, mix: Any) -> None:
    client.call("speak", "hello", voice=mix)
    assert server.asked[0].body["voice"] == "af_heart(2.0000)+af_sky(0.5000)"
    server.answer("GET", f"{DOCUMENTS}/d1/blocks/b1/audio", Answer(body=b"OggS"))
    client.call("block_audio", "d1", "b1", voice=mix)
    assert server.asked[1].query["voice"] == ["af_heart(2.0000)+af_sky(0.5000)"]


def test_documents_are_asked_for_pauses_in_one_line(client: Either, server: FakeServer) -> None:
    server.answer("GET", f"{DOCUMENTS}/d1/blocks/b1/audio", Answer(body=b"OggS"))
    client.call("block_audio", "d1", "b1", pauses={"sentence": 0.6, "paragraph": 1.2})
    assert server.asked[0].query["pauses"] == ["sentence:0.6,paragraph:1.2"]


def test_how_the_audio_is_encoded(client: Either, server: FakeServer) -> None:
    client.call("speak", "hello", audio_format="aac", sample_rate=16_000, loudness=-16.0)
    sound = {"response_format": "aac", "sample_rate": 16_000, "loudness": -16.0}
    assert server.asked[0].body == {"input": "hello", **sound}


TURNS = [Turn("Hello.", {"a": 1, "b": 1}, speed=1.5), Turn("Hi.", "c", language="en", pause=0.5), Turn("Well.")]
SENT_TURNS = [
    {"text": "Hello.", "voice": "a(1.0000)+b(1.0000)", "speed": 1.5},
    {"text": "Hi.", "voice": "c", "language": "en", "pause": 0.5},
    {"text": "Well."},
]


def test_a_dialogue_of_turns(client: Either, server: FakeServer) -> None:
    assert client.call("dialogue", TURNS, model="m", audio_format="wav") == b"OggS"
    assert server.asked[0].body == {"turns": SENT_TURNS, "model": "m", "response_format": "wav"}


def test_a_dialogue_of_marks(client: Either, server: FakeServer) -> None:
    client.call("dialogue", "[voice:a] Hello. [pause:1s] [voice:b] Hi.")
    assert server.asked[0].body["dialogue"] is True
    assert server.asked[0].body["input"] == "[voice:a] Hello. [pause:1s] [voice:b] Hi."


def test_whatever_speaks_a_text_speaks_turns(client: Either, server: FakeServer) -> None:
    client.collect("stream_speech", TURNS)
    client.call("captions", TURNS)
    server.answer("POST", SPEECH, spoken())
    client.collect("speak_events", TURNS)
    assert [asked.body["turns"] for asked in server.asked] == [SENT_TURNS] * 3


@pytest.mark.parametrize("caption_format", ["srt", "vtt", "json"])
def test_captions_are_a_file(client: Either, server: FakeServer, caption_format: str) -> None:
    server.answer("POST", CAPTIONS, Answer(body="1\nnaïve\n".encode(), framing="chunked"))
    said = client.call("captions", "naïve", Voicing("en-us"), caption_format=caption_format, seed=7)
    assert said == "1\nnaïve\n"
    assert server.asked[0].body == {"input": "naïve", "voice": "en-us", "seed": 7, "caption_format": caption_format}


def test_captions_of_a_document(client: Either, server: FakeServer) -> None:
    server.answer("GET", f"{DOCUMENTS}/d1/captions", Answer(body=b"WEBVTT\n\n", framing="chunked"))
    said = client.call("document_captions", "d1", Voicing("en-us", lane="batch"), caption_format="vtt")
    assert said == "WEBVTT\n\n"
    assert server.asked[0].query == {"voice": ["en-us"], "lane": ["batch"], "caption_format": ["vtt"]}


def test_what_a_documents_audio_does_without(client: Either, server: FakeServer) -> None:
    server.answer("GET", f"{DOCUMENTS}/d1/captions", Answer(body=b"1\n", framing="chunked"))
    server.answer("GET", f"{DOCUMENTS}/d1/audio", Answer(body=b"OggS", framing="chunked"))
    client.call("document_captions", "d1", skip="failed")
    client.collect("stream_document_audio", "d1", skip="failed")
    assert [asked.query["skip"] for asked in server.asked] == [["failed"]] * 2


def test_words_in_time(client: Either, server: FakeServer) -> None:
    word = {"word": "hello", "start": 0.1, "end": 0.5, "text_start": 0, "text_end": 5}
    server.answer("POST", CAPTIONS, Answer.json({"words": [word], "duration": 0.75}))
    timing = client.call("words", "hello")
    assert (timing.duration, timing.words[0].word, timing.words[0].end, timing.words[0].block) == (
        0.75,
        "hello",
        0.5,
        None,
    )
    server.answer("GET", f"{DOCUMENTS}/d1/captions", Answer.json({"words": [{"block": "b1", **word}], "duration": 1}))
    assert client.call("document_words", "d1").words[0].block == "b1"
    assert [asked.body["caption_format"] if asked.body else asked.query for asked in server.asked] == [
        "json",
        {"caption_format": ["json"]},
    ]


def test_a_preview_of_a_voice(client: Either, server: FakeServer) -> None:
    server.answer("GET", "/v1/audio/voices/preview", Answer(body=b"ID3", framing="chunked"))
    assert client.call("voice_preview", "en-us", model="espeak") == b"ID3"
    assert server.asked[0].query == {"voice": ["en-us"], "model": ["espeak"]}


@pytest.mark.parametrize("field", ["instructions", "lexicon", "normalization", "seed", "markup"])
def test_documents_are_refused_what_they_cannot_have(client: Either, server: FakeServer, field: str) -> None:
    voicing = Voicing(**{field: EVERYTHING[field]})
    for method, arguments in (("block_audio", ("d1", "b1")), ("document_captions", ("d1",))):
        with pytest.raises(ValueError, match=field):
            client.call(method, *arguments, voicing)
    assert server.asked == []


def test_an_option_that_there_is_not_is_a_type_error(client: Either, server: FakeServer) -> None:
    for method, arguments, options in (
        ("speak", ("hello",), {"spede": 2.0}),
        ("captions", ("hello",), {"audio_format": "wav"}),
        ("make_block_audio", ("d1", "b1"), {"seed": 1}),
        ("document_words", ("d1",), {"audio_format": "wav"}),
        ("block_audio", ("d1", "b1"), {"loudness": -16.0}),
    ):
        with pytest.raises(TypeError, match=f"no option '{next(iter(options))}'"):
            client.call(method, *arguments, **options)
    assert server.asked == []

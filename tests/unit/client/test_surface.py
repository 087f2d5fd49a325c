"""What a caller sees: twins with the same methods, names that can be imported, types that fit together."""

import inspect
from importlib.resources import files
from typing import Any

import pytest

import lectern
from lectern import AsyncClient, AudioDelta, Client, Turn, Voicing, Word, Words
from lectern.triton import AsyncTriton, Triton
from tests.unit.client.fake_server import Answer, FakeServer
from tests.unit.client.streams import spoken


def methods(kind: type) -> dict[str, Any]:
    return {name: member for name, member in vars(kind).items() if inspect.isfunction(member) and name[0] != "_"}


@pytest.mark.parametrize(("threads", "tasks"), [(Client, AsyncClient), (Triton, AsyncTriton)])
def test_twins_have_the_same_methods(threads: type, tasks: type) -> None:
    ours, theirs = methods(threads), methods(tasks)
    assert list(ours) == list(theirs)
    for name, method in ours.items():
        assert inspect.signature(method).parameters == inspect.signature(theirs[name]).parameters, name
        theirs_says = inspect.getdoc(theirs[name]) or ""
        assert (inspect.getdoc(method) or "") == theirs_says.replace("aclosing", "closing"), name
    assert inspect.signature(threads).parameters == inspect.signature(tasks).parameters


@pytest.mark.parametrize("name", lectern.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(lectern, name) is not None


def test_the_package_says_that_it_has_types() -> None:
    assert files("lectern").joinpath("py.typed").is_file()


def test_the_types_fit_together(server: FakeServer) -> None:
    """As a caller would write it: the type checker reads this too."""
    server.answer("POST", "/v1/audio/speech", Answer(body=b"OggS", framing="chunked"))
    narrator = Voicing({"a": 2, "b": 1}, lexicon={"Lectern": "lˈɛktɚn"}, normalization={"urls": False})
    with Client(server.url, retry_timeout=1.0) as client:
        whole: bytes = client.speak("hello", narrator, speed=1.5, audio_format="aac", loudness=-16)
        turns: bytes = client.dialogue([Turn("Hello.", "a", pause=0.5), Turn("Hi.", {"b": 1.0})], narrator)
        streamed = b"".join(client.stream_speech("hello", voice="a", lane="batch"))
        assert whole == turns == streamed == b"OggS"
        server.answer("POST", "/v1/audio/speech", spoken())
        audio, words = b"", list[Word]()
        for event in client.speak_events("Good morning.", narrator):
            match event:
                case AudioDelta(data):
                    audio += data
                case Words(found):
                    words += found
        assert (audio, [word.word for word in words]) == (b"OggS", ["Good", "morning"])

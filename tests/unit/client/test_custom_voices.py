"""Custom voices by the clients and on the command line, against a scripted server."""

import email
import email.policy
import json
from pathlib import Path
from typing import Any

import pytest

from lectern import ApiError
from lectern.cli.main import main
from tests.unit.client.either import Either
from tests.unit.client.fake_server import Answer, Asked, FakeServer

VOICES = "/api/v1/voices"
ADA = "0193b2aa-0000-7000-8000-000000000001"
CONSENT = {"speaker": "Ada", "statement": "I agree to a voice of mine.", "recorded_at": "2026-11-25T00:00:00Z"}
PROMPT = {"transcript": "What is said.", "seconds": 5.0, "digest": "00", "consent": CONSENT}
VOICE = {
    "id": ADA, "slug": "ada", "name": "Ada", "kind": "prompt", "model": "higgs", "language": "en", "description": "",
    "created_at": "2026-11-25T00:00:00Z", "preview": f"{VOICES}/{ADA}/preview", "prompt": PROMPT, "mix": None,
    "new_field": 1,
}  # fmt: skip
MIX = {**VOICE, "kind": "mix", "model": "kokoro", "prompt": None, "mix": {"a": 2.0, "b": 1.0}}
LISTED = {name: VOICE[name] for name in ("id", "slug", "name", "kind", "model", "language", "description")}


def fields(asked: Asked) -> dict[str, bytes]:
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + asked.body, policy=email.policy.HTTP)
    return {
        str(part.get_param("name", header="content-disposition")): bytes(part.get_payload(decode=True))
        for part in message.iter_parts()
    }


def test_a_recording_is_sent_as_a_form(client: Either, server: FakeServer) -> None:
    server.answer("POST", VOICES, Answer.json(VOICE, 201))
    made = client.call(
        "create_voice", b"RIFF\x00\xff", name="Ada", transcript="Wörter.", consent="I agree.", speaker="Ada L."
    )
    assert (made.id, made.slug, made.prompt.consent.speaker) == (ADA, "ada", "Ada")
    assert fields(server.asked[0]) == {
        "audio": b"RIFF\x00\xff",
        "name": b"Ada",
        "transcript": "Wörter.".encode(),
        "consent": b"I agree.",
        "speaker": b"Ada L.",
    }
    assert b'filename="audio"' in server.asked[0].body


def test_all_that_is_wrong_is_in_the_error(client: Either, server: FakeServer) -> None:
    errors = [{"field": "audio", "message": "is silent"}, {"field": "name", "message": "is empty"}]
    server.answer("POST", VOICES, Answer.json({"title": "Bad request", "detail": "No.", "errors": errors}, 400))
    with pytest.raises(ApiError) as raised:
        client.call("create_voice", b"", name="", transcript="", consent="", speaker="")
    assert [error.field for error in raised.value.errors] == ["audio", "name"]


def test_a_voice_is_not_made_twice_by_asking_again(client: Either, server: FakeServer) -> None:
    server.answer("POST", VOICES, Answer.json({"title": "Busy"}, 503, **{"retry-after": "0"}), Answer.json(VOICE, 201))
    with pytest.raises(ApiError):
        client.call("create_voice", b"", name="", transcript="", consent="", speaker="")
    assert len(server.asked) == 1


def test_a_mix_is_kept(client: Either, server: FakeServer) -> None:
    server.answer("POST", f"{VOICES}/mixes", Answer.json(MIX, 201))
    assert client.call("create_mix", "Ada", {"a": 2, "b": 1}, language="en").mix == {"a": 2, "b": 1}
    assert server.asked[0].body == {"name": "Ada", "mix": {"a": 2, "b": 1}, "language": "en"}


def test_a_voice_is_looked_at_changed_and_deleted(client: Either, server: FakeServer) -> None:
    path = f"{VOICES}/{ADA}"
    server.answer("GET", path, Answer.json(VOICE))
    server.answer("PATCH", path, Answer.json({**VOICE, "name": "Eve"}))
    server.answer("DELETE", path, Answer(204))
    server.answer("GET", f"{path}/prompt", Answer(body=b"fLaC"))
    assert client.call("get_voice", ADA).prompt.seconds == 5
    assert client.call("change_voice", ADA, name="Eve").name == "Eve"
    assert server.asked[-1].body == {"name": "Eve"}
    assert client.call("voice_recording", ADA) == b"fLaC"
    client.call("delete_voice", ADA)
    assert server.asked[-1].method == "DELETE"


class TestCommandLine:
    @pytest.fixture(autouse=True)
    def _here(self, server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("LECTERN_URL", server.url)
        monkeypatch.setenv("LECTERN_API_KEY", "secret")
        monkeypatch.chdir(tmp_path)
        Path("ada.wav").write_bytes(b"RIFF")
        Path("ada.txt").write_text("What is said.\n")
        server.answer(
            "GET", VOICES, Answer.json({"items": [LISTED, {**LISTED, "name": "en-us", "id": None, "slug": "en-us"}]})
        )

    def test_add(self, server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
        server.answer("POST", VOICES, Answer.json(VOICE, 201))
        asked = ["voices", "add", "Ada", "--audio", "ada.wav", "--transcript", "ada.txt", "--speaker", "Ada L."]
        assert main([*asked, "--consent", "I agree.", "--language", "en"]) == 0
        assert fields(server.asked[0])["audio"] == b"RIFF"
        assert fields(server.asked[0])["language"] == b"en"
        said = capsys.readouterr().out
        assert said.startswith("ada:\n")
        assert ADA in said
        assert "I agree to a voice of mine." in said

    def test_list_with_and_without_its_name(self, server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["voices", "--language", "en"]) == main(["voices", "list", "--language", "en"]) == 0
        assert main(["voices", "--language", "en", "list"]) == 0
        assert [asked.query for asked in server.asked] == [{"language": ["en"]}] * 3
        said = capsys.readouterr().out
        assert said.count("ada ") == 3
        assert "custom: Ada" in said

    @pytest.mark.parametrize("called", ["ada", "Ada", ADA])
    def test_delete_by_any_name(self, server: FakeServer, capsys: pytest.CaptureFixture[str], called: str) -> None:
        server.answer("DELETE", f"{VOICES}/{ADA}", Answer(204))
        assert main(["voices", "delete", called, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"id": ADA, "deleted": True}

    def test_others(self, server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
        path = f"{VOICES}/{ADA}"
        server.answer("POST", f"{VOICES}/mixes", Answer.json(MIX, 201))
        server.answer("GET", path, Answer.json(VOICE))
        server.answer("PATCH", path, Answer.json(VOICE))
        server.answer("GET", f"{path}/prompt", Answer(body=b"fLaC"))
        server.answer("GET", "/v1/audio/voices/preview", Answer(body=b"ID3"))
        assert main(["voices", "mix", "Ada", "a(2)+b"]) == 0
        assert server.asked[-1].body == {"name": "Ada", "mix": {"a": 2.0, "b": 1.0}}
        assert "a(2)+b(1)" in capsys.readouterr().out
        assert main(["voices", "--json", "show", "ada"]) == 0
        assert json.loads(capsys.readouterr().out)["slug"] == "ada"
        assert main(["voices", "change", "ada", "--name", "Eve", "--transcript", "ada.txt"]) == 0
        assert server.asked[-1].body == {"name": "Eve", "transcript": "What is said.\n"}
        assert main(["voices", "recording", "ada", "-o", "ada.flac"]) == 0
        assert Path("ada.flac").read_bytes() == b"fLaC"
        assert main(["voices", "preview", "ada", "-o", "ada.mp3"]) == 0
        assert Path("ada.mp3").read_bytes() == b"ID3"

    @pytest.mark.parametrize(
        ("arguments", "code", "message"),
        [
            (["delete", "eve"], 1, "no custom voice that is called eve"),
            (["delete", "en-us"], 1, "no custom voice"),
            (["mix", "Ada", "a(("], 2, "no part of a mix"),
            (["recording", "ada", "-o", "nowhere/a.flac"], 2, "no folder nowhere"),
            (
                ["add", "Ada", "--audio", "eve.wav", "--transcript", "ada.txt", "--speaker", "A", "--consent", "I"],
                2,
                "eve.wav",
            ),
        ],
    )
    def test_what_cannot_be_done(
        self, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
    ) -> None:
        assert main(["voices", *arguments]) == code
        assert message in capsys.readouterr().err

    def test_a_name_of_several_needs_more(self, server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
        other: dict[str, Any] = {**LISTED, "id": ADA.replace("1", "2"), "model": "kokoro"}
        server.answer("GET", VOICES, Answer.json({"items": [LISTED, other]}))
        assert main(["voices", "delete", "ada"]) == 2
        assert "kokoro" in capsys.readouterr().err

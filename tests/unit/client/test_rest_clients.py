"""The REST clients against a scripted server; each test holds for threads and for asyncio."""

import socket
from pathlib import Path

import pytest

from lectern import (
    ApiError,
    AuthenticationError,
    BusyError,
    Client,
    ConnectionLostError,
    DocumentFailedError,
    LecternError,
    NotFoundError,
    UnreachableError,
)
from lectern.errors import DocumentNotReadyError, UnexpectedResponseError
from tests.unit.client.bodies import DOCUMENTS, block, document
from tests.unit.client.either import Either, Threads
from tests.unit.client.fake_server import Answer, FakeServer


def test_speech_arrives_whole(client: Either, server: FakeServer) -> None:
    server.answer("POST", "/v1/audio/speech", Answer(body=b"OggS", framing="chunked"))
    assert client.call("speak", "hello", voice="en-us", model="espeak", speed=1.5, audio_format="flac") == b"OggS"
    (asked,) = server.asked
    assert asked.body == {
        "input": "hello",
        "voice": "en-us",
        "model": "espeak",
        "speed": 1.5,
        "response_format": "flac",
    }
    assert asked.headers["authorization"] == "Bearer secret"


def test_the_server_chooses_what_is_left_out(client: Either, server: FakeServer) -> None:
    server.answer("POST", "/v1/audio/speech", Answer(body=b"OggS", framing="chunked"))
    client.call("speak", "hello")
    assert server.asked[0].body == {"input": "hello", "response_format": "opus"}


@pytest.mark.parametrize("framing", ["length-cut", "chunked-cut"])
@pytest.mark.parametrize("method", ["speak", "block_audio", "stream_speech", "stream_document_audio"])
def test_an_answer_that_breaks_off_never_looks_whole(
    client: Either, server: FakeServer, method: str, framing: str
) -> None:
    cut = Answer(body=b"OggS", framing=framing)
    server.answer("POST", "/v1/audio/speech", cut)
    server.answer("GET", f"{DOCUMENTS}/d1/audio", cut)
    server.answer("GET", f"{DOCUMENTS}/d1/blocks/b1/audio", cut)
    arguments = {"block_audio": ("d1", "b1"), "stream_document_audio": ("d1",)}.get(method, ("hello",))
    with pytest.raises(ConnectionLostError):
        (client.collect if method.startswith("stream") else client.call)(method, *arguments)


def test_audio_whose_end_cannot_be_seen_is_refused(client: Either, server: FakeServer) -> None:
    server.answer("POST", "/v1/audio/speech", Answer(body=b"OggS", framing="none"))
    with pytest.raises(UnexpectedResponseError, match="where its response ends"):
        client.call("speak", "hello")


def test_a_stream_may_be_left(client: Either, server: FakeServer) -> None:
    server.answer("POST", "/v1/audio/speech", Answer(body=b"OggS", framing="chunked"))
    assert client.take(1, "stream_speech", "hello") == [b"OggS"]


def test_documents(client: Either, server: FakeServer) -> None:
    server.answer("POST", DOCUMENTS, Answer.json(document(status="queued", new_field=1), 201))
    server.answer("GET", f"{DOCUMENTS}/d1", Answer.json(document()))
    server.answer("DELETE", f"{DOCUMENTS}/d1", Answer(204))
    created = client.call("create_document", "# hello", title="A title")
    assert (created.id, created.status) == ("d1", "queued")
    assert server.asked[0].body == {"text": "# hello", "title": "A title", "format": "markdown"}
    assert client.call("get_document", "d1").blocks == 2
    client.call("delete_document", "d1")
    assert server.asked[-1].method == "DELETE"


def test_pages_are_walked_to_their_end(client: Either, server: FakeServer) -> None:
    pages = [
        {"items": [document(id="d1"), document(id="d2")], "next": "d2"},
        {"items": [document(id="d3")], "next": None},
    ]
    server.answer("GET", DOCUMENTS, *map(Answer.json, pages))
    assert [found.id for found in client.collect("documents", page_size=2)] == ["d1", "d2", "d3"]
    assert [asked.query for asked in server.asked] == [{"limit": ["2"]}, {"limit": ["2"], "after": ["d2"]}]
    blocks = [{"items": [block(0)], "next": 0}, {"items": [block(1)], "next": None}]
    server.answer("GET", f"{DOCUMENTS}/d1/blocks", *map(Answer.json, blocks))
    assert [found.position for found in client.collect("blocks", "d1", page_size=1)] == [0, 1]
    assert server.asked[-1].query == {"limit": ["1"], "after": ["0"]}


def test_waiting_for_a_document(client: Either, server: FakeServer) -> None:
    queued, ready = Answer.json(document(status="queued")), Answer.json(document())
    server.answer("GET", f"{DOCUMENTS}/d1", queued, queued, ready)
    assert client.call("wait_until_ready", "d1").status == "ready"
    server.answer("GET", f"{DOCUMENTS}/d1", Answer.json(document(status="failed", error="no words")))
    with pytest.raises(DocumentFailedError, match="no words"):
        client.call("wait_until_ready", "d1")
    server.answer("GET", f"{DOCUMENTS}/d1", queued)
    with pytest.raises(DocumentNotReadyError):
        client.call("wait_until_ready", "d1", timeout=0.1)


def test_making_audio_tells_its_length(client: Either, server: FakeServer) -> None:
    path = f"{DOCUMENTS}/d1/blocks/b1/audio"
    server.answer("HEAD", path, Answer(headers={"x-lectern-seconds": "2.5"}), Answer())
    assert client.call("make_block_audio", "d1", "b1", voice="en-us", speed=2.0) == 2.5
    assert server.asked[0].query == {"voice": ["en-us"], "speed": ["2.0"], "response_format": ["opus"]}
    assert client.call("make_block_audio", "d1", "b1") is None


def test_an_id_cannot_leave_its_place_in_the_path(client: Either, server: FakeServer) -> None:
    with pytest.raises(NotFoundError):
        client.call("get_document", "../voices?x=1")
    assert server.asked[0].path == f"{DOCUMENTS}/..%2Fvoices%3Fx%3D1"


def test_voices_and_models(client: Either, server: FakeServer) -> None:
    voice = {"name": "en-us", "model": "espeak", "language": "en-US", "gender": None, "description": "plain"}
    server.answer("GET", "/api/v1/voices", Answer.json({"items": [voice]}))
    server.answer("GET", "/v1/models", Answer.json({"object": "list", "data": [{"id": "espeak", "object": "model"}]}))
    assert [found.name for found in client.call("voices", language="en")] == ["en-us"]
    assert server.asked[0].query == {"language": ["en"]}
    assert [found.id for found in client.call("models")] == ["espeak"]


@pytest.mark.parametrize(("code", "word"), [(200, "ready"), (503, "unready")])
def test_an_unready_server_is_an_answer(client: Either, server: FakeServer, code: int, word: str) -> None:
    checks = [{"name": "database", "ok": word == "ready", "detail": "", "age_seconds": 1.0}]
    server.answer("GET", "/readyz", Answer.json({"status": word, "version": "1", "checks": checks}, code))
    status = client.call("status")
    assert status.ready is (word == "ready")
    assert status.checks[0].name == "database"


def test_a_problem_is_told_in_full(client: Either, server: FakeServer) -> None:
    problem = {
        "type": "about:blank",
        "title": "Bad request",
        "status": 400,
        "detail": "The text is empty.",
        "errors": [{"field": "text", "message": "is empty"}, {"field": "text", "message": "needs words"}],
    }
    server.answer("POST", DOCUMENTS, Answer.json(problem, 400, **{"x-request-id": "r7"}))
    with pytest.raises(ApiError) as raised:
        client.call("create_document", "")
    error = raised.value
    assert (error.status, error.title, error.request_id) == (400, "Bad request", "r7")
    assert error.errors[0].field == "text"
    assert str(error) == "400 Bad request: The text is empty. (text: needs words) [request r7]"


def test_an_error_in_openais_shape(client: Either, server: FakeServer) -> None:
    error = {"error": {"message": "There is no voice 'x'.", "type": "invalid_request_error", "param": "voice"}}
    server.answer("POST", "/v1/audio/speech", Answer.json(error, 400))
    with pytest.raises(ApiError, match="There is no voice 'x'"):
        client.call("speak", "hello", voice="x")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (401, AuthenticationError),
        (404, NotFoundError),
        (502, ApiError),
        (418, ApiError),
        (429, BusyError),
        (503, BusyError),
    ],
)
def test_errors_by_status_even_without_a_body_of_ours(
    client: Either, server: FakeServer, code: int, kind: type[ApiError]
) -> None:
    server.answer("GET", f"{DOCUMENTS}/d1", Answer(code, b"<html>", {"retry-after": "60"}))
    with pytest.raises(ApiError) as raised:
        client.call("get_document", "d1")
    assert type(raised.value) is kind
    assert (raised.value.status, raised.value.retry_after) == (code, 60.0)


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b'{"items": 3}'])
def test_another_program_at_the_address(client: Either, server: FakeServer, body: bytes) -> None:
    server.answer("GET", "/api/v1/voices", Answer(body=body))
    with pytest.raises(UnexpectedResponseError, match="does not answer as Lectern does"):
        client.call("voices")


def test_a_redirect_is_not_followed(client: Either, server: FakeServer) -> None:
    server.answer("GET", "/api/v1/voices", Answer(302, headers={"location": "http://elsewhere.invalid/"}))
    with pytest.raises(UnexpectedResponseError, match=r"elsewhere\.invalid"):
        client.call("voices")


def test_text_that_is_not_unicode_is_refused_before_it_is_sent(client: Either, server: FakeServer) -> None:
    with pytest.raises(LecternError, match="surrogate"):
        client.call("speak", "a\ud800b")
    assert server.asked == []


def test_nobody_at_the_address_says_what_to_do() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with Threads(Client(url)) as client, pytest.raises(UnreachableError, match="set LECTERN_URL") as raised:
            client.call("status")
        assert raised.value.url == url


def test_a_server_that_stops_answering() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with Threads(Client(url, timeout=0.1)) as client, pytest.raises(ConnectionLostError, match="stopped answering"):
            client.call("status")


class TestFindingTheServer:
    @pytest.fixture
    def home(self, tmp_path: Path) -> Path:
        home = tmp_path / "home"
        home.mkdir()
        (home / "stack.json").write_text('{"pid": 1, "url": "http://127.0.0.1:8123", "ports": {"api": 8123}}')
        (home / "api-key").write_text("local-key\n")
        return home

    def headers(self, client: Client) -> dict[str, str]:
        return dict(client._http.headers)

    def test_without_anything(self) -> None:
        with Client() as client:
            assert client.url == "http://127.0.0.1:8000"
            assert "authorization" not in self.headers(client)

    @pytest.mark.usefixtures("home")
    def test_the_stack_of_this_machine(self) -> None:
        with Client() as client:
            assert client.url == "http://127.0.0.1:8123"
            assert self.headers(client)["authorization"] == "Bearer local-key"

    @pytest.mark.usefixtures("home")
    def test_the_environment_comes_before_the_stack(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LECTERN_URL", "http://localhost:9000/")
        monkeypatch.setenv("LECTERN_API_KEY", "other-key")
        with Client() as client:
            assert client.url == "http://localhost:9000"
            assert self.headers(client)["authorization"] == "Bearer other-key"

    @pytest.mark.usefixtures("home")
    def test_an_argument_comes_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LECTERN_URL", "http://localhost:9000")
        monkeypatch.setenv("LECTERN_API_KEY", "other-key")
        with Client("http://127.0.0.1:9001", api_key="mine") as client:
            assert client.url == "http://127.0.0.1:9001"
            assert self.headers(client)["authorization"] == "Bearer mine"

    @pytest.mark.usefixtures("home")
    def test_the_local_key_is_not_sent_to_other_machines(self) -> None:
        with Client("https://lectern.example") as client:
            assert "authorization" not in self.headers(client)

    def test_damaged_files_are_named(self, home: Path) -> None:
        (home / "stack.json").write_text("{")
        with pytest.raises(LecternError, match=r"stack\.json is damaged"):
            Client()
        (home / "api-key").write_text("schlüssel")
        with pytest.raises(LecternError, match="API key"):
            Client("http://127.0.0.1:9000")

    @pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://a", "http://", "nonsense", "http://[::1"])
    def test_what_is_no_web_address_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match="not a web address"):
            Client(url)

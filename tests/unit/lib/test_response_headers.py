"""What answers say to browsers, and which pages may use the API."""

from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar, Response, WebSocket, get, post, websocket
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import TestClient

from orchestrator.lib.environment import SettingsError, read
from orchestrator.lib.errors.problem_details import answer_exception
from orchestrator.lib.errors.websocket import WebSocketProblems
from orchestrator.lib.openapi import openapi_config
from orchestrator.lib.response_headers import ResponseHeaders
from orchestrator.lib.settings import ServerSettings

PAGE = "https://reader.example.com"
STRANGER = "https://elsewhere.example.com"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,x-stainless-os"}


def client_of(origins: set[str]) -> TestClient[Any]:
    @get("/plain", sync_to_thread=False)
    def plain() -> dict[str, str]:
        return {"a": "b"}

    @get("/kept", sync_to_thread=False)
    def kept() -> Response[bytes]:
        return Response(b"", headers={"cache-control": "private, max-age=60", "content-security-policy": "sandbox"})

    @post("/speak", sync_to_thread=False)
    def speak() -> None: ...

    @websocket("/socket")
    async def talk(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    app = Litestar(
        [plain, kept, speak, talk],
        exception_handlers={Exception: answer_exception},
        openapi_config=openapi_config(),
        logging_config=None,
    )
    return TestClient(ResponseHeaders(WebSocketProblems(app), frozenset(origins)))


@pytest.fixture(scope="module")
def alone() -> Iterator[TestClient[Any]]:
    with client_of(set()) as client:
        yield client


@pytest.fixture(scope="module")
def shared() -> Iterator[TestClient[Any]]:
    with client_of({PAGE}) as client:
        yield client


@pytest.mark.parametrize("path", ["/plain", "/nowhere", "/docs", "/docs/openapi.json"])
def test_every_answer_is_what_it_says_it_is_and_in_no_frame(alone: TestClient[Any], path: str) -> None:
    headers = alone.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers


def test_a_route_may_say_it_in_its_own_way(alone: TestClient[Any]) -> None:
    headers = alone.get("/kept").headers
    assert headers.get_list("cache-control") == ["private, max-age=60"]
    assert headers.get_list("content-security-policy") == ["sandbox"]


def test_the_pages_of_the_documentation_run_their_own_scripts_only(alone: TestClient[Any]) -> None:
    page = alone.get("/docs")
    policy = page.headers["content-security-policy"]
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert script.count("'sha256-") == page.text.count("<script") - page.text.count(" src=") == 1
    assert "unsafe" not in script
    assert "http" not in policy


def test_a_page_of_a_named_origin_reads_answers_and_their_headers(shared: TestClient[Any]) -> None:
    headers = shared.get("/plain", headers={"origin": PAGE}).headers
    assert headers["access-control-allow-origin"] == PAGE
    exposed = {name.strip().lower() for name in headers["access-control-expose-headers"].split(",")}
    assert exposed >= {"x-request-id", "retry-after", "content-range", "x-lectern-seconds", "x-lectern-cost"}
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["vary"] == "Origin"
    assert shared.get("/nowhere", headers={"origin": PAGE}).headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize("origin", [STRANGER, "null", f"{PAGE}.evil.com", f"{PAGE}:444", "http://reader.example.com"])
def test_other_pages_do_not(shared: TestClient[Any], origin: str) -> None:
    headers = shared.get("/plain", headers={"origin": origin}).headers
    assert "access-control-allow-origin" not in headers
    assert headers["vary"] == "Origin"


def test_a_named_origin_may_send_a_key_and_any_header(shared: TestClient[Any]) -> None:
    answer = shared.options("/speak", headers={"origin": PAGE, **PREFLIGHT})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = {name.strip() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert allowed >= {"Authorization", "Range", "If-None-Match", "*"}


def test_another_origin_is_told_what_to_do(shared: TestClient[Any], alone: TestClient[Any]) -> None:
    for client in (shared, alone):
        answer = client.options("/speak", headers={"origin": STRANGER, **PREFLIGHT})
        assert answer.status_code == 403
        assert "LECTERN_CORS_ORIGINS" in answer.json()["detail"]
        assert "access-control-allow-origin" not in answer.headers


def opened(client: TestClient[Any], origin: str | None) -> str | int:
    headers = {"origin": origin} if origin else {}
    with client.websocket_connect("/socket", headers=headers) as socket:
        first = socket.receive_text()
        if first == "hello":
            return first
        assert "LECTERN_CORS_ORIGINS" in first
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
        return closed.value.code


@pytest.mark.parametrize("origin", [None, "http://testserver.local", "https://testserver.local", PAGE])
def test_a_socket_opens_for_programs_the_server_s_own_pages_and_named_origins(
    shared: TestClient[Any], origin: str | None
) -> None:
    assert opened(shared, origin) == "hello"


@pytest.mark.parametrize("origin", [STRANGER, "null", "https://testserver.local.evil.com"])
def test_a_socket_is_refused_to_other_pages(shared: TestClient[Any], origin: str) -> None:
    assert opened(shared, origin) == 4403


@pytest.mark.parametrize("given", [f"{PAGE}", f"{PAGE}, http://localhost:5173", "app://obsidian.md", ""])
def test_origins_are_listed_with_commas(given: str) -> None:
    origins = read(ServerSettings, {"LECTERN_CORS_ORIGINS": given}).allowed_origins()
    assert origins == {one.strip() for one in given.split(",") if one}


@pytest.mark.parametrize(
    "given", ["*", f"{PAGE}/", "reader.example.com", f"{PAGE} {STRANGER}", "https://*.example.com"]
)
def test_what_is_no_exact_origin_is_refused_at_the_start(given: str) -> None:
    with pytest.raises(SettingsError, match="LECTERN_CORS_ORIGINS"):
        read(ServerSettings, {"LECTERN_CORS_ORIGINS": given})

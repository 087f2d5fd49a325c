"""An error in a WebSocket reaches the client as a message and a close code."""

from typing import Any

import asyncpg
import pytest
from litestar import Litestar, WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from litestar.params import FromPath, FromQuery
from litestar.testing import TestClient

from orchestrator.lib.errors.problems import Busy, NotFound, Unauthenticated
from orchestrator.lib.errors.websocket import WebSocketProblems, note_problem
from orchestrator.lib.query_parameters import QueryParameters

RAISED: dict[str, tuple[Exception, int]] = {
    "bug": (ZeroDivisionError("secret inside"), 4500),
    "busy": (Busy(retry_after=7), 4503),
    "absent": (NotFound("There is no such thing."), 4404),
    "stranger": (Unauthenticated(), 4401),
    "outage": (asyncpg.ConnectionDoesNotExistError("secret inside"), 4503),
    "wordy": (NotFound("ä" * 500), 4404),
}


@pytest.fixture(scope="module")
def client() -> TestClient[WebSocketProblems]:
    @websocket("/{when:str}/{name:str}")
    async def fail(
        socket: WebSocket[Any, Any, Any], when: FromPath[str], name: FromPath[str], known: FromQuery[int] = 0
    ) -> None:
        assert known == 0
        if when == "late":
            await socket.accept()
        raise RAISED[name][0]

    app = Litestar([fail], after_exception=[note_problem], middleware=[QueryParameters], logging_config=None)
    return TestClient(WebSocketProblems(app))


def refusal(
    client: TestClient[WebSocketProblems], path: str, subprotocols: list[str] | None = None
) -> tuple[int, str, str]:
    """The code, the detail that was said, the reason."""
    with client.websocket_connect(path, subprotocols=subprotocols) as socket:
        message = socket.receive_json()
        assert message["type"] == "error"
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
        return closed.value.code, message["error"]["detail"], closed.value.detail


@pytest.mark.parametrize("when", ["early", "late"])
@pytest.mark.parametrize("name", RAISED)
def test_a_problem_is_told_before_and_after_the_handshake(
    client: TestClient[WebSocketProblems], when: str, name: str
) -> None:
    code, detail, reason = refusal(client, f"/{when}/{name}")
    assert code == RAISED[name][1]
    assert len(reason.encode()) <= 123  # what a close frame can carry
    assert detail.startswith(reason.removesuffix("…"))
    assert "secret" not in detail


def test_no_such_address(client: TestClient[WebSocketProblems]) -> None:
    assert refusal(client, "/nowhere")[0] == 4404


def test_an_unknown_query_parameter(client: TestClient[WebSocketProblems]) -> None:
    code, detail, _ = refusal(client, "/early/absent?knwn=1")
    assert code == 4400
    assert "'known'" in detail


def test_a_wrong_query_parameter_is_named(client: TestClient[WebSocketProblems]) -> None:
    code, detail, _ = refusal(client, "/early/absent?known=nine")
    assert code == 4400
    assert detail.startswith("known: ")


def test_a_browser_gets_the_protocol_it_offered(client: TestClient[WebSocketProblems]) -> None:
    with client.websocket_connect("/early/absent", subprotocols=["lectern", "lectern.key.x"]) as socket:
        assert socket.accepted_subprotocol == "lectern"

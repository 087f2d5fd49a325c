"""Every exception becomes an answer in the shape of its path, without internal details."""

from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from litestar import Litestar, get
from litestar.params import FromPath
from litestar.testing import TestClient

from orchestrator.lib.errors.problem_details import answer_exception
from orchestrator.lib.errors.problems import Busy, NotFound

RAISED: dict[str, tuple[Exception, int]] = {
    "bug": (ZeroDivisionError("secret inside"), 500),
    "busy": (Busy(retry_after=7), 503),
    "absent": (NotFound("There is no such thing."), 404),
    "outage": (asyncpg.ConnectionDoesNotExistError("secret inside"), 503),
    "full": (asyncpg.DiskFullError("secret inside"), 507),
    "refused": (ConnectionRefusedError("secret inside"), 503),
}


@pytest.fixture
def client() -> Iterator[TestClient[Litestar]]:
    @get(["/{name:str}", "/v1/{name:str}"], sync_to_thread=False)
    def fail(name: FromPath[str]) -> None:
        raise RAISED[name][0]

    app = Litestar([fail], exception_handlers={Exception: answer_exception}, logging_config=None)
    with TestClient(app) as running:
        yield running


@pytest.mark.parametrize("name", RAISED)
def test_problem_details(client: TestClient[Litestar], name: str) -> None:
    answer = client.get(f"/{name}")
    assert answer.status_code == RAISED[name][1]
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "instance", "request_id"}
    assert problem["status"] == answer.status_code
    assert "secret" not in answer.text


@pytest.mark.parametrize("name", RAISED)
def test_openai_shape(client: TestClient[Litestar], name: str) -> None:
    answer = client.get(f"/v1/{name}")
    assert answer.status_code == RAISED[name][1]
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == ("invalid_request_error" if answer.status_code < 500 else "server_error")
    assert "secret" not in answer.text


def test_busy_has_retry_after(client: TestClient[Litestar]) -> None:
    assert client.get("/busy").headers["retry-after"] == "7"

import re
from collections.abc import Iterator

import pytest
from litestar import Litestar, get
from litestar.params import FromPath
from litestar.testing import TestClient
from prometheus_client import REGISTRY

from orchestrator.lib.access_log import AccessLog


@get("/things/{number:int}", sync_to_thread=False)
def thing(number: FromPath[int]) -> int:
    return number


@pytest.fixture
def client() -> Iterator[TestClient[AccessLog]]:
    with TestClient(AccessLog(Litestar([thing], logging_config=None))) as running:
        yield running


def test_every_answer_has_an_id(client: TestClient[AccessLog]) -> None:
    ids = {client.get(path).headers["x-request-id"] for path in ("/things/1", "/things/2", "/nowhere", "/things/x")}
    assert len(ids) == 4


def test_a_plain_id_stays_and_a_strange_one_is_replaced(client: TestClient[AccessLog]) -> None:
    assert client.get("/things/1", headers={"x-request-id": "abc-123"}).headers["x-request-id"] == "abc-123"
    for strange in ("two words", "x" * 65, "a;b", ""):
        answer = client.get("/things/1", headers={"x-request-id": strange})
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-request-id"])


def test_requests_are_counted_by_route_not_by_address(client: TestClient[AccessLog]) -> None:
    def count(path: str, status: str) -> float:
        labels = {"method": "GET", "path": path, "status": status}
        return REGISTRY.get_sample_value("lectern_http_requests_total", labels) or 0

    before, lost = count("/things/{number}", "200"), count("(none)", "404")
    for path in ("/things/1", "/things/2", "/nowhere", "/elsewhere"):
        client.get(path)
    assert count("/things/{number}", "200") == before + 2
    assert count("(none)", "404") == lost + 2

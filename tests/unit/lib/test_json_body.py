"""A body that cannot be read is answered with what is wrong with it, and where."""

from collections.abc import Iterator

import msgspec
import pytest
from litestar import Litestar, post
from litestar.params import JSONBody
from litestar.testing import TestClient

from orchestrator.lib.errors.problem_details import answer_exception
from orchestrator.lib.json_body import JsonRequest

LIMIT = 2_000


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    size: int = 0


class Body(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    inner: Inner | None = None


@pytest.fixture
def client() -> Iterator[TestClient[Litestar]]:
    @post(["/", "/v1/echo"], sync_to_thread=False)
    def echo(data: JSONBody[Body]) -> str:
        return data.text

    app = Litestar(
        [echo],
        request_class=JsonRequest,
        request_max_body_size=LIMIT,
        exception_handlers={Exception: answer_exception},
        logging_config=None,
    )
    with TestClient(app) as running:
        yield running


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (rb'{"text": "half \ud83d of it"}', 400, r"The body has \ud83d, half of a surrogate pair, at byte 15."),
        (rb'{"text": "\ude00"}', 400, r"The body has \ude00, half of a surrogate pair, at byte 10."),
        (rb'{"text": "\ud83d\ud83d\ude00"}', 400, r"The body has \ud83d, half of a surrogate pair, at byte 10."),
        (rb'{"text": "\ud83d\ude00 \\ud83d"', 400, "The body is not valid JSON: Input data was truncated."),
        (b'{"text": "caf\xe9"}', 400, "The body is not valid UTF-8 at byte 13."),
        (b"", 400, "body: is missing. Send JSON."),
        (b"{", 400, "The body is not valid JSON: Input data was truncated."),
        (b'{"text": "' + b"a" * LIMIT + b'"}', 413, "The request body is larger than 2,000 bytes"),
        (b"[1, 2]", 400, "body: Expected `object`, got `array`"),
    ],
)
def test_an_unreadable_body_is_refused(client: TestClient[Litestar], body: bytes, status: int, detail: str) -> None:
    answer = client.post("/", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(detail)


@pytest.mark.parametrize(
    ("body", "detail", "field"),
    [
        (b'{"text": "x", "colour": "red"}', "colour: unknown field", "colour"),
        (b'{"text": "x", "inner": {"colour": 1}}', "inner.colour: unknown field", "inner.colour"),
        (b"{}", "text: is missing", "text"),
        (b'{"text": 3}', "text: Expected `str`, got `int`", "text"),
    ],
)
def test_a_wrong_field_is_named(client: TestClient[Litestar], body: bytes, detail: str, field: str) -> None:
    headers = {"content-type": "application/json"}
    problem = client.post("/", content=body, headers=headers).json()
    assert problem["detail"] == detail
    assert [one["field"] for one in problem["errors"]] == [field]
    error = client.post("/v1/echo", content=body, headers=headers).json()["error"]
    assert (error["message"], error["param"]) == (detail, field)


def test_whole_surrogate_pairs_are_read(client: TestClient[Litestar]) -> None:
    answer = client.post("/", content=rb'{"text": "\ud83d\ude00"}', headers={"content-type": "application/json"})
    assert answer.status_code == 201
    assert answer.text == "😀"

"""An answer names every wrong field of a body at once."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import pytest
from litestar import Litestar, post
from litestar.params import JSONBody
from litestar.testing import TestClient
from msgspec import Meta

from orchestrator.lib.errors.problem_details import answer_exception
from orchestrator.lib.errors.problems import FieldError
from orchestrator.lib.json_body import JsonRequest
from orchestrator.lib.schema import Schema


class Inner(Schema):
    size: int = 0


class Body(Schema):
    text: str
    speed: Annotated[float, Meta(ge=1)] = 1.0
    inner: tuple[Inner, ...] = ()
    loud: bool = False

    @classmethod
    def objections(cls, given: Mapping[str, Any]) -> Iterable[FieldError]:
        return [FieldError("loud", "can only be false")] if given.get("loud") else []


@post("/v1/echo", sync_to_thread=False)
def echo(data: JSONBody[Body]) -> str:
    return data.text


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"text": "x", "pace": 1, "words": 2}, ["pace", "words"]),
        ({"pace": 1, "speed": 0, "loud": True}, ["pace", "speed", "text", "loud"]),
        ({"text": 3, "speed": "fast", "loud": "loud"}, ["text", "speed", "loud"]),
        ({"text": "x", "inner": [{}, {"size": "l"}], "more": None}, ["inner[1].size", "more"]),
        ({"text": "x", "inner": [{"sze": 1}]}, ["inner[0].sze"]),
        ([], ["body"]),
    ],
)
def test_every_wrong_field_is_named(body: Any, named: list[str]) -> None:
    app = Litestar(
        [echo], exception_handlers={Exception: answer_exception}, request_class=JsonRequest, logging_config=None
    )
    with TestClient(app) as client:
        answer = client.post("/v1/echo", json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert [one.partition(": ")[0] for one in error["message"].split("; ")] == named
    assert error["param"] == named[0]

"""No query parameter is ignored in silence: neither a misspelt one, nor one of two, nor an empty one."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from litestar import Litestar, get
from litestar.di import NamedDependency, Provide
from litestar.params import HeaderParameter, QueryParameter
from litestar.testing import TestClient

from orchestrator.lib.errors.problem_details import answer_exception
from orchestrator.lib.query_parameters import QueryParameters


@pytest.fixture
def client() -> Iterator[TestClient[Litestar]]:
    def tempo(speed: Annotated[float, QueryParameter()] = 1.0) -> float:
        return speed

    @get("/", dependencies={"tempo": Provide(tempo, sync_to_thread=False)}, sync_to_thread=False)
    def show(
        tempo: NamedDependency[float],
        voice: Annotated[str | None, QueryParameter()] = None,
        kind: Annotated[list[str] | None, QueryParameter()] = None,
        tag: Annotated[tuple[str, ...], QueryParameter()] = (),
        order: Annotated[str, QueryParameter(name="sort")] = "up",
        seen: Annotated[str | None, HeaderParameter(name="last-event-id")] = None,
    ) -> dict[str, Any]:
        return {"tempo": tempo, "voice": voice, "kind": kind, "tag": tag, "sort": order, "seen": seen}

    app = Litestar(
        [show], middleware=[QueryParameters], exception_handlers={Exception: answer_exception}, logging_config=None
    )
    with TestClient(app) as running:
        yield running


def test_clear_parameters_pass(client: TestClient[Litestar]) -> None:
    answer = client.get("/?voice=a&speed=2&kind=x&kind=y&tag=z&tag=z&sort=down", headers={"last-event-id": "7"})
    expected = {"tempo": 2, "voice": "a", "kind": ["x", "y"], "tag": ["z", "z"], "sort": "down", "seen": "7"}
    assert answer.json() == expected


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ("voise=a", "voise", "Unknown query parameter 'voise'. Did you mean 'voice'?"),
        ("voice=a&voice=b", "voice", "'voice' is given more than once. Send the one that is meant."),
        ("voice=a&voice=a", "voice", "'voice' is given more than once. Send the one that is meant."),
        ("speed=1&voice=a&speed=2", "speed", "'speed' is given more than once. Send the one that is meant."),
        ("voice=", "voice", "'voice' is empty. Give it a value, or leave it out."),
        ("speed=", "speed", "'speed' is empty. Give it a value, or leave it out."),
        ("order=down", "order", "Unknown query parameter 'order'."),
        ("last-event-id=7", "last-event-id", "Unknown query parameter 'last-event-id'."),
        ("kind=x&kind=", "kind", "'kind' is empty. Give it a value, or leave it out."),
    ],
)
def test_unclear_parameters_are_refused(client: TestClient[Litestar], query: str, field: str, sentence: str) -> None:
    answer = client.get(f"/?{query}")
    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]
    assert [one["field"] for one in answer.json()["errors"]] == [f"query.{field}"]

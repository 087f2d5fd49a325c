"""An answer to a value outside an enumeration lists the choices."""

from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from litestar import Litestar, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, QueryParameter
from litestar.testing import TestClient

from orchestrator.lib.errors.problem_details import answer_exception
from orchestrator.lib.errors.validation import enum_values

Format = Literal["wav", "flac"]


class Mood(Enum):
    GLAD = "glad"
    SAD = "sad"


class Turn(msgspec.Struct):
    mood: Mood | None = None
    rate: Annotated[Literal[8_000, 16_000], msgspec.Meta(description="Hz.")] = 8_000


class Order(msgspec.Struct, rename="camel"):
    audio_format: Format = "wav"
    turns: list[Turn | str] = []
    named: dict[str, Turn] = {}
    name: str = ""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("audioFormat", ["flac", "wav"]),
        ("turns[3].mood", ["glad", "sad"]),
        ("turns[0].rate", ["8000", "16000"]),
        ("named[...].mood", ["glad", "sad"]),
        ("name", []),
        ("nowhere[1].at.all", []),
        ("", []),
    ],
)
def test_the_choices_of_a_path(path: str, expected: list[str]) -> None:
    assert enum_values(Order, path) == expected


@pytest.fixture
def client() -> Iterator[TestClient[Litestar]]:
    def tempo(lane: Annotated[Literal["live", "batch"], QueryParameter()] = "live") -> str:
        return lane

    @post(["/orders", "/v1/orders"], sync_to_thread=False)
    def order(data: JSONBody[Order]) -> None:
        pass

    @get(["/orders", "/v1/orders"], dependencies={"tempo": Provide(tempo, sync_to_thread=False)}, sync_to_thread=False)
    def orders(
        tempo: NamedDependency[str],
        mood: Annotated[Mood, QueryParameter()] = Mood.SAD,
        kinds: Annotated[list[Format] | None, QueryParameter()] = None,
    ) -> None:
        pass

    app = Litestar([order, orders], exception_handlers={Exception: answer_exception}, logging_config=None)
    with TestClient(app) as running:
        yield running


BODIES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a field": ({"audioFormat": "aac"}, "audioFormat", "'aac' is not one of flac, wav"),
    "a field of an item": ({"turns": [{}, {"mood": "mad"}]}, "turns[1].mood", "'mad' is not one of glad, sad"),
    "a number": ({"turns": [{"rate": 9}]}, "turns[0].rate", "9 is not one of 8000, 16000"),
    "a long value": ({"audioFormat": "x" * 9_999}, "audioFormat", f"'{'x' * 59}… is not one of flac, wav"),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_wrong_value_in_a_body(client: TestClient[Litestar], case: str) -> None:
    body, field, message = BODIES[case]
    problem = client.post("/orders", json=body)
    assert problem.status_code == 400
    assert problem.json()["detail"] == f"{field}: {message}"
    assert problem.json()["errors"] == [{"field": field, "message": message}]
    error = client.post("/v1/orders", json=body).json()["error"]
    assert (error["message"], error["param"]) == (f"{field}: {message}", field)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("mood=mad", "mood: 'mad' is not one of glad, sad"),
        ("lane=fast", "lane: 'fast' is not one of batch, live"),
        ("kinds=wav&kinds=ogg", "kinds: 'ogg' is not one of flac, wav"),
    ],
)
def test_a_wrong_query_parameter(client: TestClient[Litestar], query: str, message: str) -> None:
    assert client.get(f"/orders?{query}").json()["detail"] == message
    assert client.get(f"/v1/orders?{query}").json()["error"]["message"] == message

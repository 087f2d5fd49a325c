"""A refusal has a status that clients understand, and OpenAI's shape."""

from typing import Any

import httpx
import pytest

from tests.openai_contract.server import Server

BAD = {400, 404, 413, 422}
BAD_FIELDS: dict[str, dict[str, Any]] = {
    "unknown voice": {"voice": "nobody-is-called-so"},
    "unknown voice id": {"voice": {"id": "nobody-is-called-so"}},
    "unknown model": {"model": "no-model-is-called-so"},
    "unknown format": {"response_format": "aiff"},
    "unknown stream format": {"stream_format": "websocket"},
    "empty input": {"input": ""},
    "no input": {"input": None},
    "input that is no text": {"input": 3},
    "input too long": {"input": "a word " * 20_000},
    "speed too low": {"speed": 0.2},
    "speed too high": {"speed": 4.1},
    "speed that is no number": {"speed": "fast"},
}
BAD_BODIES = {
    "broken JSON": b'{"model": ',
    "not an object": b"[]",
    "no body": b"",
    "not UTF-8": b'{"input": "\xff\xfe"}',
}


def check_shape(answer: httpx.Response, statuses: set[int]) -> dict[str, Any]:
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    error: dict[str, Any] = answer.json()["error"]
    assert isinstance(error["message"], str)
    assert error["message"]
    assert isinstance(error["type"], str)
    assert {"param", "code"} <= set(error)
    return error


@pytest.mark.parametrize("case", BAD_FIELDS)
def test_a_bad_field_is_refused(server: Server, case: str) -> None:
    error = check_shape(server.speak(**BAD_FIELDS[case]), BAD)
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_bad_body_is_refused(server: Server, case: str) -> None:
    with server.client() as client:
        headers = {"content-type": "application/json"}
        check_shape(client.post("/audio/speech", content=BAD_BODIES[case], headers=headers), BAD)


def test_an_unknown_field_is_refused_or_ignored(server: Server) -> None:
    answer = server.speak(colour="red")
    if answer.status_code != 200:
        assert "colour" in check_shape(answer, BAD)["message"]


@pytest.mark.parametrize("key", ["", "sk-wrong"], ids=["no key", "a wrong key"])
@pytest.mark.parametrize("path", ["/models", "/audio/speech"])
def test_without_the_key_nothing_is_told(server: Server, path: str, key: str) -> None:
    if not server.key:
        pytest.skip("this server was named without a key")
    with server.client(key) as client:
        answer = client.get(path) if path == "/models" else client.post(path, json=server.body())
    check_shape(answer, {401})


def test_after_all_refusals_it_still_speaks(server: Server) -> None:
    assert server.speak(voice="nobody-is-called-so").status_code in BAD
    assert server.heard().content

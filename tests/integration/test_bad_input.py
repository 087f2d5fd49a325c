"""Whatever is sent, the answer is a 4xx with a sentence that helps, and the process keeps serving."""

from typing import Any

import httpx
import pytest

from tests.integration import documents
from tests.stack import Stack

GOOD_SPEECH = {"model": "espeak", "voice": "en-us", "input": "Hello there.", "response_format": "wav"}

BAD_SPEECH: dict[str, tuple[dict[str, Any], int, str]] = {
    "empty text": ({"input": ""}, 400, "empty"),
    "blank text": ({"input": " \n\t "}, 400, "empty"),
    "null text": ({"input": None}, 400, "empty"),
    "near miss": ({"speeeed": 2}, 400, "speeeed"),
    "near miss of nothing": ({"speeeed": None}, 400, "speeeed"),
    "louder or softer": ({"volume_multiplier": 0.5}, 400, "volume_multiplier"),
    "a link": ({"return_download_link": True}, 400, "return_download_link"),
    "stream as a word": ({"stream": "yes"}, 400, "stream"),
    "two languages": ({"language": "en", "lang_code": "de"}, 400, "'lang_code' 'de' and 'language' 'en'"),
    "a language by its name": ({"lang_code": "English!"}, 400, "'lang_code' must be a tag"),
    "a voice of the wrong model": ({"voice": "af_nova"}, 400, "af_nova"),
    "10 MB of text": ({"input": "a word " * 1_500_000}, 413, "larger"),
    "text over the limit": ({"input": "a word " * 10_000}, 413, "at most"),
    "control character": ({"input": "bell \u0007 rings"}, 400, "U+0007"),
    "null character": ({"input": "nothing \u0000 here"}, 400, "U+0000"),
    "unknown voice": ({"voice": "en-usa"}, 400, "en-us"),
    "unknown model": ({"model": "espeek"}, 400, "espeak"),
    "unknown field": ({"colour": "red"}, 400, "colour"),
    "unknown format": ({"response_format": "ogg"}, 400, "response_format: 'ogg' is not one of aac, flac, mp3, opus"),
    "speed 0": ({"speed": 0}, 400, "speed"),
    "speed below the lowest": ({"speed": 0.2}, 400, "speed"),
    "speed above the highest": ({"speed": 4.1}, 400, "speed"),
    "speed as a word": ({"speed": "fast"}, 400, "speed"),
    "input of a wrong type": ({"input": 3}, 400, "input"),
    "voice of a wrong type": ({"voice": ["en-us"]}, 400, "voice"),
}


@pytest.mark.parametrize("case", BAD_SPEECH)
def test_a_bad_speech_request_is_refused_in_openais_shape(api: httpx.Client, case: str) -> None:
    change, status, hint = BAD_SPEECH[case]
    answer = api.post("/v1/audio/speech", json={**GOOD_SPEECH, **change})
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert hint in error["message"], error
    assert error["type"] == "invalid_request_error"
    assert set(error) == {"message", "type", "param", "code"}
    assert api.post("/v1/audio/speech", json=GOOD_SPEECH).status_code == 200


def test_all_that_is_wrong_is_named_at_once(api: httpx.Client) -> None:
    wrong = {"volume_multiplier": 0.5, "return_download_link": True, "stream": "yes", "speeeed": 1, "speed": 9}
    for path in ("/v1/audio/speech", "/v1/audio/captions"):
        answer = api.post(path, json={"model": "espeak", "voice": "en-us", "input": "Hello there.", **wrong})
        assert answer.status_code == 400
        message = answer.json()["error"]["message"]
        assert all(name in message for name in wrong), message


BAD_BODIES = {
    "not JSON": (b"{", "JSON"),
    "no body": (b"", "missing"),
    "not an object": (b"[1, 2]", "object"),
    "lone surrogate": (b'{"model": "espeak", "voice": "en-us", "input": "half \\ud83d of it"}', "surrogate"),
    "not UTF-8": (b'{"model": "espeak", "voice": "en-us", "input": "caf\xe9"}', "byte 51"),
    "deeply nested": (b'{"input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deeply"),
    "missing fields": (b"{}", "missing"),
}


@pytest.mark.parametrize("case", BAD_BODIES)
@pytest.mark.parametrize("path", ["/v1/audio/speech", "/api/v1/documents"])
def test_a_broken_body_is_refused(api: httpx.Client, path: str, case: str) -> None:
    body, hint = BAD_BODIES[case]
    answer = api.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text
    said = answer.json()
    assert hint in (said["error"]["message"] if "error" in said else said["detail"])


BAD_DOCUMENTS: dict[str, tuple[dict[str, Any], int, str]] = {
    "empty text": ({"text": ""}, 400, "empty"),
    "blank text": ({"text": "  \n"}, 400, "empty"),
    "10 MB of text": ({"text": "a word " * 1_500_000}, 413, "larger"),
    "too many characters": ({"text": "word " * 500_000}, 413, "at most"),
    "null character": ({"text": "a\u0000b"}, 400, "U+0000"),
    "unknown format": ({"text": "x", "format": "pdf"}, 400, "'pdf' is not one of markdown, text"),
    "unknown field": ({"text": "x", "txt": "y"}, 400, "txt"),
    "long title": ({"text": "x", "title": "t" * 1000}, 413, "title"),
    "empty title": ({"text": "x", "title": ""}, 400, "title"),
}


@pytest.mark.parametrize("case", BAD_DOCUMENTS)
def test_a_bad_document_is_refused_with_problem_details(api: httpx.Client, case: str) -> None:
    body, status, hint = BAD_DOCUMENTS[case]
    answer = api.post("/api/v1/documents", json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert hint in problem["detail"], problem
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"]


BAD_QUERIES = {
    "/api/v1/documents?limt=3": "limit",
    "/api/v1/documents?limit=0": "limit",
    "/api/v1/documents?limit=ten": "limit",
    "/api/v1/documents?limit=100000000000000000000": "limit",
    "/api/v1/documents?after=yesterday": "after",
    "/api/v1/documents/00000000-0000-7000-8000-000000000000/blocks?after=-1": "after",
    "/api/v1/documents/00000000-0000-7000-8000-000000000000/blocks?after=512795883438356234240": "after",
    "/api/v1/voices?modle=espeak": "model",
    "/v1/models?x=1": "x",
    "/healthz?verbose=1": "verbose",
}


@pytest.mark.parametrize("path", BAD_QUERIES)
def test_a_bad_query_parameter_is_named(api: httpx.Client, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 400, answer.text
    assert BAD_QUERIES[path] in answer.text


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("voice=nobody", "nobody"),
        ("speed=0", "speed"),
        ("speed=nan", "speed"),
        ("response_format=aiff", "response_format: 'aiff' is not one of aac, flac, mp3, opus"),
        ("voise=en-us", "voice"),
        ("model=none", "model"),
        ("voice=en-us&voice=en-gb", "more than once"),
        ("voice=", "empty"),
    ],
)
def test_a_bad_audio_query_is_named(api: httpx.Client, query: str, hint: str) -> None:
    document = documents.make(api, "A block to ask wrongly for.")
    block = documents.blocks(api, document["id"])[0]
    answer = api.get(f"/api/v1/documents/{document['id']}/blocks/{block['id']}/audio?{query}")
    assert answer.status_code == 400, answer.text
    assert hint in answer.json()["detail"]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer lectern_wrong", "Basic abc", "Bearer \xff"])
@pytest.mark.parametrize("path", ["/api/v1/documents", "/v1/models", "/api/v1/voices"])
def test_a_wrong_key_is_refused_before_anything_else(stack: Stack, path: str, authorization: str) -> None:
    headers = {b"authorization": authorization.encode("latin-1")} if authorization else {}
    answer = httpx.get(f"{stack.url}{path}", headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "Bearer" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/v1/nowhere", 404), ("DELETE", "/v1/models", 405), ("PUT", "/healthz", 405)],
)
def test_a_wrong_address_or_method_is_a_problem_too(api: httpx.Client, method: str, path: str, status: int) -> None:
    answer = api.request(method, path)
    assert answer.status_code == status
    assert answer.json()
    assert answer.headers["x-request-id"]


def test_a_code_block_has_no_audio(api: httpx.Client) -> None:
    document = documents.make(api, "```\nprint(1)\n```\n\nA paragraph that is read aloud, unlike the code.")
    block = next(one for one in documents.blocks(api, document["id"]) if not one["spoken"])
    answer = api.get(f"/api/v1/documents/{document['id']}/blocks/{block['id']}/audio")
    assert answer.status_code == 404
    assert "read aloud" in answer.json()["detail"]

"""Whatever is sent in place of a form is the sender's mistake, and is told as one."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar, post
from litestar.params import MultipartBody
from litestar.testing import TestClient

from orchestrator.lib.errors.problem_details import answer_exception
from orchestrator.lib.json_body import JsonRequest
from orchestrator.voices.schemas import NewPrompt

FORM = "multipart/form-data; boundary=b"
END = b"--b--\r\n"


def part(disposition: bytes, headers: bytes = b"", value: bytes = b"Ada") -> bytes:
    return b"--b\r\nContent-Disposition: form-data; %s\r\n%s\r\n%s\r\n" % (disposition, headers, value)


def with_charset(charset: bytes, value: bytes = b"Ada") -> bytes:
    return part(b'name="name"', b"Content-Type: text/plain; charset=" + charset + b"\r\n", value) + END


CASES: dict[str, tuple[str, bytes, str]] = {
    "charset undefined": (FORM, with_charset(b"undefined"), "undefined encoding"),
    "charset unknown": (FORM, with_charset(b"klingon"), "unknown encoding: klingon"),
    "charset not of text": (FORM, with_charset(b"rot13"), "not a text encoding"),
    "charset that fails": (FORM, with_charset(b"idna", b"xn--\xff"), "cannot be decoded"),
    "not UTF-8": (FORM, part(b'name="name"', value=b"\xff\xfe") + END, "can't decode byte 0xff"),
    "no boundary": ("multipart/form-data", END, "Empty boundary"),
    "empty boundary": ('multipart/form-data; boundary=""', END, "Empty boundary"),
    "another boundary": ("multipart/form-data; boundary=c", END, "Unexpected end"),
    "no form at all": ("application/json; charset=undefined", b"{}", "boundary"),
    "no content type": ("", b"{}", "boundary"),
    "a strange content type": ("\xff\xfe/;;;=", b"{}", "boundary"),
    "10,000 fields": (FORM, part(b'name="name"') * 10_000 + END, "too many parts"),
    "a long header": (FORM, part(b'name="name"; filename="%s"' % (b"a" * 100_000)) + END, "too long a header"),
    "many headers": (FORM, part(b'name="name"', b"X: y\r\n" * 50) + END, "too long a header"),
    "a form in a form": (FORM, part(b'name="audio"', b"Content-Type: multipart/mixed; boundary=c\r\n") + END, "audio"),
    "a filename with a null": (FORM, part(b'name="audio"; filename="a\0.wav"') + END, "name: is missing"),
    "a filename that is no text": (FORM, part(b"name=\"audio\"; filename*=undefined''%FF") + END, "audio"),
    "a name that is no text": (FORM, part(b'name="\xff"') + END, "failed to decode"),
    "no name": (FORM, b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END, "unknown field"),
    "no disposition": (FORM, b"--b\r\n\r\nx\r\n" + END, "Missing Content-Disposition"),
    "a wrong length of a part": (FORM, part(b'name="name"', b"Content-Length: 100000\r\n") + END, "does not match"),
    "no length of a part": (FORM, part(b'name="name"', b"Content-Length: many\r\n") + END, "Content-Length"),
    "an end too early": (FORM, part(b'name="name"'), "Unexpected end"),
    "a file in place of a text": (FORM, part(b'name="name"; filename="a"') + END, "name: Expected"),
    "two files": (FORM, part(b'name="audio"; filename="a"') * 2 + END, "audio"),
    "a field twice": (FORM, part(b'name="name"') * 2 + END, "name: Expected"),
}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient[Any]]:
    @post("/form")
    async def take(data: MultipartBody[NewPrompt]) -> str:
        return data.name

    app = Litestar(
        [take], exception_handlers={Exception: answer_exception}, request_class=JsonRequest, logging_config=None
    )
    with TestClient(app) as running:
        yield running


def send(client: TestClient[Any], content_type: str, body: bytes) -> tuple[int, str]:
    answer = client.post("/form", content=body, headers={b"content-type": content_type.encode("latin-1")})
    return answer.status_code, answer.json()["detail"]


@pytest.mark.parametrize("case", CASES)
def test_a_broken_form_is_refused_with_what_is_wrong(client: TestClient[Any], case: str) -> None:
    content_type, body, hint = CASES[case]
    status, detail = send(client, content_type, body)
    assert status == (413 if hint.startswith("too ") else 400), detail
    assert hint in detail


def test_no_change_to_a_form_is_a_failure_of_the_server(client: TestClient[Any]) -> None:
    chance = random.Random(14)
    pieces = [b"\r\n", b"\0", b"--b", b"--b--", b'"', b";", b"charset=", b"\xff", b"\\", b"filename=", b"*=utf-8''%"]
    small = [(content_type, body) for content_type, body, _ in CASES.values() if len(body) < 1_000]
    for _ in range(500):
        content_type, body = chance.choice(small)
        changed = bytearray(body)
        for _ in range(chance.randint(1, 5)):
            at = chance.randrange(len(changed) + 1)
            changed[at : at + chance.choice([0, 0, 1, 5])] = chance.choice([*pieces, chance.randbytes(1), changed[:20]])
        status, detail = send(client, content_type, bytes(changed))
        assert status in (400, 413), (content_type, changed, detail)

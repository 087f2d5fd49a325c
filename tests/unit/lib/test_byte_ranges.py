"""RFC 9110: conditional requests (13) and ranges (14), for a file in memory."""

from typing import Any

import pytest
from litestar import Response
from litestar.testing import RequestFactory

from orchestrator.lib.byte_ranges import file_response, has_already

DATA = bytes(range(100))
ETAG = '"abc.opus"'


def ask(method: str = "GET", data: bytes = DATA, **headers: str) -> Response[bytes]:
    request: Any = RequestFactory().get(headers={name.replace("_", "-"): value for name, value in headers.items()})
    request.scope["method"] = method
    return file_response(request, data, media_type="audio/ogg", etag=ETAG, headers={"cache-control": "private"})


def test_a_whole_file_offers_ranges() -> None:
    answer = ask()
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["etag"] == ETAG
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private"
    assert "content-range" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=10-19", 10, 19),
        ("bytes=99-99", 99, 99),
        ("bytes=90-", 90, 99),
        ("bytes=0-", 0, 99),
        ("bytes=90-1000", 90, 99),
        ("bytes=-1", 99, 99),
        ("bytes=-10", 90, 99),
        ("bytes=-100", 0, 99),
        ("bytes=-1000", 0, 99),
        ("BYTES=1-2", 1, 2),
        (" bytes=1-2 ", 1, 2),
        ("bytes=007-08", 7, 8),
    ],
)
def test_a_range_is_that_part_of_the_file(asked: str, first: int, last: int) -> None:
    answer = ask(range=asked)
    assert (answer.status_code, answer.content) == (206, DATA[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/100"
    assert answer.headers["etag"] == ETAG


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=99999-", "bytes=-0"])
def test_a_range_with_nothing_in_it_cannot_be_sent(asked: str) -> None:
    answer = ask(range=asked)
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["content-range"] == "bytes */100"


@pytest.mark.parametrize("asked", ["bytes=0-", "bytes=-5"])
def test_an_empty_file_has_no_part(asked: str) -> None:
    answer = ask(data=b"", range=asked)
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */0"


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=20-10",
        "bytes=0-1,5-6",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=1.0-2",
        "bytes=--5",
        "bytes=+1-2",
        "items=0-5",
        "0-5",
        f"bytes=0-{'9' * 5000}",
        "",
    ],
)
def test_a_header_that_is_no_single_byte_range_is_ignored(asked: str) -> None:
    answer = ask(range=asked)
    assert (answer.status_code, answer.content) == (200, DATA)


def test_a_range_of_head_is_ignored() -> None:
    assert ask("HEAD", range="bytes=0-9").status_code == 200


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (ETAG, 206),
        (f"W/{ETAG}", 200),  # a weak validator says nothing of bytes
        ('"another"', 200),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 200),
        ("", 200),
    ],
)
def test_if_range_sends_a_range_only_of_the_same_file(condition: str, status: int) -> None:
    answer = ask(range="bytes=0-9", if_range=condition)
    assert answer.status_code == status
    assert answer.content == (DATA[:10] if status == 206 else DATA)


@pytest.mark.parametrize(
    "offered", [ETAG, f"W/{ETAG}", f'"x", {ETAG}', f'W/"x",W/{ETAG} , "y"', "*", " * ", f'"x,y",{ETAG}']
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_file_that_the_client_has_is_not_sent_again(offered: str, method: str) -> None:
    answer = ask(method, if_none_match=offered, range="bytes=0-5")  # the condition comes before the range
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == ETAG
    assert answer.headers["cache-control"] == "private"


@pytest.mark.parametrize("offered", ['"x"', 'W/"abc"', "abc.opus", '"abc.opus', '"*"', "", ","])
def test_another_version_does_not_count(offered: str) -> None:
    assert ask(if_none_match=offered).status_code == 200


def test_a_list_may_be_spread_over_several_headers() -> None:
    request: Any = RequestFactory().get()
    request.scope["headers"] = [(b"if-none-match", b'"x"'), (b"if-none-match", ETAG.encode())]
    assert has_already(request, ETAG)

"""Opens addresses, with a token for those who ask for one."""

from http import HTTPStatus
from http.client import HTTPMessage, HTTPResponse
from typing import IO, Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

TIMEOUT: Final = 30.0  # seconds without a byte
TOKEN_VARIABLE: Final = "HF_TOKEN"  # noqa: S105 - as the hub's own tools call it

_NOT_FOR_US: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class _TokenStaysHome(HTTPRedirectHandler):
    """The hub redirects to a store of its own, which has no business with the token and refuses two of them."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]:
            request.remove_header("Authorization")
        return request


_opener: Final = build_opener(_TokenStaysHome)


def opened(url: str, *, first: int | None = None, token: str = "") -> HTTPResponse:
    """Return the answer of an http or https address; if asked so, from a byte on, where the server knows ranges.

    Raises OSError, of which HTTPError is one.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{url!r} is no web address")
    headers = {"User-Agent": "lectern"}
    if first is not None:
        headers["Range"] = f"bytes={first}-"
    if token:
        headers["Authorization"] = f"Bearer {token}"
    answer: HTTPResponse = _opener.open(Request(url, headers=headers), timeout=TIMEOUT)  # noqa: S310 - checked above
    return answer


def told(error: HTTPError, url: str) -> str:
    """Return what an error of the server means, and what to do about it."""
    if error.code in _NOT_FOR_US:
        return (
            f"{url} answers {error.code} {error.reason}: it is not open to everyone, or is there no more. Agree to its "
            f"terms on its page, and give an account's token that may read it: {TOKEN_VARIABLE}=…"
        )
    return f"{url} answers {error.code} {error.reason}"

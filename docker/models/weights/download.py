"""Downloads one file with huggingface_hub: resumed where it broke off, and kept only with the SHA-256 of the lock."""

import hashlib
import os
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import httpx
from huggingface_hub import set_client_factory
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.file_download import http_get
from huggingface_hub.utils.tqdm import tqdm

from weights.lock_file import LockedFile

TOKEN_VARIABLE: Final = "HF_TOKEN"  # noqa: S105 - the name that the hub's own tools use
TIMEOUT: Final = 30.0  # seconds without a byte
PAUSES: Final = (1.0, 3.0, 10.0)  # seconds before another attempt, after an error of the server

_NOT_AUTHORIZED: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class Unreachable(Exception):  # noqa: N818 - it names a state of affairs
    """The file cannot be downloaded now."""


class WrongContent(Exception):  # noqa: N818 - it names a state of affairs
    """The downloaded content is not what the lock names."""


class DownloadProgress(tqdm):
    """A bar on a terminal, and elsewhere, where tqdm would show nothing, a line every five seconds."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - tqdm's own
        shown = {"disable": False, "mininterval": 0.1 if sys.stderr.isatty() else 5.0}
        super().__init__(*arguments, **(options | shown))  # type: ignore[no-untyped-call]


def fetch(file: LockedFile, folder: Path, *, token: str = "") -> Path:
    """Returns the path of the file below `folder`, which is downloaded unless it is there already.

    `token` belongs to an account of the hub, for files that are not open to everyone. It is not sent to hosts that the
    hub redirects to. Raises Unreachable and WrongContent.
    """
    target = folder / file.name
    if target.is_file() and sha256_of(target) == file.sha256:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    with unreachable(file.url):
        _download(file, part, token)
    found = sha256_of(part)
    if found != file.sha256:
        part.unlink()
        raise WrongContent(f"{file.url} is not the file that the lock names: its SHA-256 is {found}, not {file.sha256}")
    part.replace(target)
    return target


def fetch_bytes(url: str, *, token: str = "") -> bytes:
    """Returns the content of a small file. Raises Unreachable."""
    out = BytesIO()
    with unreachable(url):
        http_get(url, out, headers=_headers(token))
    return out.getvalue()


def sha256_of(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def hub_token() -> str:
    """Returns the token of the environment. A token that the hub's tools keep in the home folder is not used."""
    return os.environ.get(TOKEN_VARIABLE, "")


@contextmanager
def unreachable(address: str) -> Iterator[None]:
    """Turns the errors of a request to this address into Unreachable, whose message says what to do."""
    try:
        yield
    except HfHubHTTPError as error:
        status = error.response.status_code
        message = f"{address} answers {status} {error.response.reason_phrase}".rstrip()
        if status in _NOT_AUTHORIZED:
            message += (
                ": it is not open to everyone, or no longer there. Agree to its terms on its page, and give the token "
                f"of an account that may read it: {TOKEN_VARIABLE}=…"
            )
        if error.server_message:
            message += f" (the hub says: {error.server_message})"
        raise Unreachable(message) from None
    except (httpx.HTTPError, OSError) as error:
        raise Unreachable(f"{address} cannot be fetched: {error}") from None


def _download(file: LockedFile, part: Path, token: str) -> None:
    """Downloads what `part` lacks.

    http_get itself tries again after a connection that ended early, but not after one that was reset, nor after an
    error of the server.
    """
    for pause in (*PAUSES, None):
        try:
            with part.open("ab") as out:
                http_get(
                    file.url,
                    out,
                    resume_size=out.tell(),
                    headers=_headers(token),
                    displayed_filename=file.name,
                    tqdm_class=DownloadProgress,
                )
        except HfHubHTTPError as error:
            status = error.response.status_code
            if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and part.stat().st_size:
                part.unlink()  # it is longer than the file
            elif status < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            if pause is None:
                raise
        except httpx.ReadError:
            if pause is None:
                raise
        else:
            return
        time.sleep(pause)


def _headers(token: str) -> dict[str, str]:
    """Returns the headers of a download. A compressed answer could not be resumed."""
    headers = {"User-Agent": "lectern", "Accept-Encoding": "identity"}
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})


def _client() -> httpx.Client:
    """Returns the client that huggingface_hub uses: it trusts the authorities of this machine, and never waits forever.

    httpx alone would trust the list of the package certifi; huggingface_hub alone would ask its API without a timeout.
    """
    return httpx.Client(
        verify=ssl.create_default_context(), follow_redirects=True, event_hooks={"request": [_limit_waiting]}
    )


def _limit_waiting(request: httpx.Request) -> None:
    request.extensions["timeout"] = httpx.Timeout(TIMEOUT).as_dict()


set_client_factory(_client)

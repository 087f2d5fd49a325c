"""Downloads one file: resumed where it broke off, and kept only if its SHA-256 is the locked one."""

import hashlib
import time
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.error import HTTPError

from weights.lock import LockedFile
from weights.web import opened, told

ATTEMPTS: Final = 4
PAUSES: Final = (1.0, 3.0, 10.0)  # seconds between the attempts
CHUNK: Final = 1 << 20  # bytes

Progress = Callable[[str, int, int | None], None]
"""Told the file's name, the bytes that are there, and how many there will be if that is known."""


class Unreachable(Exception):  # noqa: N818 - it names a state of affairs
    """The file cannot be had now."""


class WrongContent(Exception):  # noqa: N818 - it names a state of affairs
    """What came is not what the lock names."""


def fetch(
    file: LockedFile, folder: Path, progress: Progress, *, token: str = "", pauses: tuple[float, ...] = PAUSES
) -> Path:
    """Return the file's place below `folder`; nothing is fetched if it lies there already.

    `token` is of an account of the hub, for files that it does not give to everyone. Raises Unreachable and
    WrongContent.
    """
    target = folder / file.name
    if target.is_file() and sha256_of(target) == file.sha256:
        progress(file.name, target.stat().st_size, target.stat().st_size)
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    for pause in (*pauses[: ATTEMPTS - 1], None):
        try:
            _continue(file, part, progress, token)
            break
        except HTTPError as error:
            if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink(missing_ok=True)  # what was left is longer than the file
            elif error.code < HTTPStatus.INTERNAL_SERVER_ERROR and error.code != HTTPStatus.TOO_MANY_REQUESTS:
                raise Unreachable(told(error, file.url)) from None
            _wait(pause, file, error)
        except (OSError, HTTPException) as error:  # refused, timed out, or broken off
            _wait(pause, file, error)
    found = sha256_of(part)
    if found != file.sha256:
        part.unlink()
        raise WrongContent(f"{file.url} is not the file that the lock names: its SHA-256 is {found}, not {file.sha256}")
    part.replace(target)
    return target


def sha256_of(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _continue(file: LockedFile, part: Path, progress: Progress, token: str) -> None:
    """Fetch what is missing of `part`. Raises OSError and HTTPException if that does not go to the end."""
    there = part.stat().st_size if part.exists() else 0
    with opened(file.url, first=there, token=token) as answer:
        resumed = answer.status == HTTPStatus.PARTIAL_CONTENT
        if not resumed:
            there = 0  # a server that knows no ranges sends all of it
        length = answer.headers.get("Content-Length")
        total = there + int(length) if length else None
        with part.open("ab" if resumed else "wb") as out:
            while chunk := answer.read(CHUNK):
                out.write(chunk)
                there += len(chunk)
                progress(file.name, there, total)
    if total is not None and there < total:
        raise ConnectionError(f"broken off after {there} of {total} bytes")


def _wait(pause: float | None, file: LockedFile, error: Exception) -> None:
    if pause is None:
        raise Unreachable(f"{file.url} cannot be fetched: {error}") from None
    time.sleep(pause)

"""What a hub of models says of a repository: its commits, its files and their hashes."""

import hashlib
import json
import re
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import quote, urljoin

from weights.download import Unreachable, WrongContent
from weights.web import opened, told

MAX_SMALL: Final = 64 << 20  # bytes of a file that is no LFS object
_NEXT: Final = re.compile(r'<([^>]+)>\s*;\s*rel="next"')


@dataclass(frozen=True, slots=True)
class HubFile:
    name: str
    size: int  # bytes
    sha256: str
    """Empty if the hub does not say it: it does for large files only."""
    blob: str
    """As Git names the content, or, of a large file, the pointer to it."""


class Hub:
    """Every method raises Unreachable."""

    def __init__(self, endpoint: str, token: str = "") -> None:
        self._endpoint = endpoint.rstrip("/")
        self._token = token

    def commit(self, repository: str, revision: str) -> str:
        """Return the commit that a branch, a tag or a commit names."""
        found = self._json(f"{self._endpoint}/api/models/{repository}/revision/{quote(revision, safe='')}")[0]["sha"]
        return str(found)

    def files(self, repository: str, commit: str) -> list[HubFile]:
        """Return all files of a commit, by their paths."""
        address: str | None = f"{self._endpoint}/api/models/{repository}/tree/{commit}?recursive=true"
        found = []
        while address is not None:
            entries, address = self._json(address)
            found += [_file(entry) for entry in entries if entry["type"] == "file"]
        return sorted(found, key=lambda file: file.name)

    def sha256(self, repository: str, commit: str, file: HubFile) -> str:
        """Return the SHA-256 of a file: the hub's own word for a large one, else that of its content, which is fetched.

        Raises WrongContent if what comes is not the blob that the commit has.
        """
        if file.sha256:
            return file.sha256
        url = f"{self._endpoint}/{repository}/resolve/{commit}/{quote(file.name)}"
        with self._opened(url) as answer:
            content = answer.read(MAX_SMALL + 1)
        if hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() != file.blob:
            raise WrongContent(f"{url} is not what the hub's list of files says it is")
        return hashlib.sha256(content).hexdigest()

    def _json(self, url: str) -> tuple[Any, str | None]:
        """Return what an address says, and the address of the next page."""
        with self._opened(url) as answer:
            content, link = answer.read(), answer.headers.get("Link", "")
        try:
            following = _NEXT.search(link)
            return json.loads(content), urljoin(url, following[1]) if following else None
        except ValueError as error:
            raise Unreachable(f"{url} answers something other than JSON: is it a hub of models?") from error

    def _opened(self, url: str) -> HTTPResponse:
        try:
            return opened(url, token=self._token)
        except HTTPError as error:
            raise Unreachable(told(error, url)) from None
        except (OSError, HTTPException) as error:
            raise Unreachable(f"{url} cannot be fetched: {error}") from None


def _file(entry: dict[str, Any]) -> HubFile:
    large = entry.get("lfs") or {}
    return HubFile(entry["path"], entry["size"], large.get("oid", ""), entry["oid"])

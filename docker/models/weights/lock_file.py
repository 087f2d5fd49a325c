"""Lock files: where the files of a model are published, and the SHA-256 of each."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

MIRROR_VARIABLE: Final = "LECTERN_WEIGHTS_MIRROR"
ENDPOINT_VARIABLE: Final = "HF_ENDPOINT"  # the name that the hub's own tools use

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class BadLock(Exception):  # noqa: N818 - it names a state of affairs
    """The lock file, or the address of the mirror, is malformed."""


@dataclass(frozen=True, slots=True)
class LockedFile:
    name: str
    """The path below the source, and below the folder that the file is downloaded into."""
    url: str
    sha256: str


def read(lock: Path, mirror: str = "") -> list[LockedFile]:
    """Returns the files of a lock: a `source` that all paths lie below, and a table `sha256` of path -> hash.

    `mirror`, an address such as https://mirror.example/hub, replaces the source's scheme and host. Raises BadLock.
    """
    content = tomllib.loads(lock.read_text())
    source = mirrored(content["source"].rstrip("/"), mirror)
    return [_locked(name, digest, source, lock) for name, digest in _hashes(content).items()]


def mirrored(source: str, mirror: str) -> str:
    """Returns the source's address at the mirror, or the source if there is no mirror. Raises BadLock."""
    if not mirror:
        return source
    published, other = urlsplit(source), urlsplit(mirror.rstrip("/"))
    if other.scheme not in ("http", "https") or not other.netloc:
        raise BadLock(f"the mirror {mirror!r} is no address: write {MIRROR_VARIABLE}=https://mirror.example/hub")
    return urlunsplit((other.scheme, other.netloc, other.path + published.path, "", ""))


def mirror() -> str:
    """Returns the mirror of everything that is downloaded, or an empty string."""
    return os.environ.get(MIRROR_VARIABLE, "")


def hub_mirror() -> str:
    """Returns the mirror of the hub of models, or an empty string."""
    return mirror() or os.environ.get(ENDPOINT_VARIABLE, "")


def _hashes(content: Mapping[str, object]) -> Mapping[str, str]:
    hashes = content["sha256"]
    if not isinstance(hashes, dict):
        raise BadLock("the lock has no table sha256")
    return hashes


def _locked(name: str, digest: str, source: str, lock: Path) -> LockedFile:
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or not _SHA256.fullmatch(digest):
        raise BadLock(f"{lock}: {name!r} is no path below the source, or its hash is no SHA-256")
    return LockedFile(name, f"{source}/{name}", digest)

"""Lock files: where the files of a model are published, and what they must be."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

MIRROR_VARIABLE = "LECTERN_WEIGHTS_MIRROR"

_SHA256 = re.compile(r"[0-9a-f]{64}")


class BadLock(Exception):  # noqa: N818 - it names a state of affairs
    """The lock file, or the mirror, cannot be used."""


@dataclass(frozen=True, slots=True)
class LockedFile:
    name: str
    """Its path, below the source and below the folder it is fetched into."""
    url: str
    sha256: str


def read(lock: Path, mirror: str = "") -> list[LockedFile]:
    """Return the files of a lock: a `source` that all paths lie below, and a table `sha256` of path -> hash.

    `mirror`, an address such as https://mirror.example/hub, takes the place of the source's scheme and host. Raises
    BadLock.
    """
    content = tomllib.loads(lock.read_text())
    source = content["source"].rstrip("/")
    source = mirrored(source, mirror)
    return [_locked(name, digest, source, lock) for name, digest in _hashes(content).items()]


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


def mirrored(source: str, mirror: str) -> str:
    """Return an address below the mirror, if there is one, in place of its own host. Raises BadLock."""
    if not mirror:
        return source
    own, other = urlsplit(source), urlsplit(mirror.rstrip("/"))
    if other.scheme not in ("http", "https") or not other.netloc:
        raise BadLock(f"{MIRROR_VARIABLE}={mirror!r} is no address: write it as https://mirror.example/hub")
    return urlunsplit((other.scheme, other.netloc, other.path + own.path, "", ""))

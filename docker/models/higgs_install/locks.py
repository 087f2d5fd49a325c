"""The lock files of what comes from the hub: a commit of a repository, and the SHA-256 of each of its files."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from weights.hub import Hub
from weights.lock import BadLock, LockedFile, mirrored, read

_SOURCE: Final = re.compile(r"/([\w.-]+/[\w.-]+)/resolve/([\w.-]+)$")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_HASHES: Final = "[sha256]\n"


class NotLocked(Exception):  # noqa: N818 - it names a state of affairs
    """The lock names no files yet."""


@dataclass(frozen=True, slots=True)
class Lock:
    file: Path
    endpoint: str
    """Of the hub, or of the mirror in its place."""
    repository: str
    revision: str
    """A commit, or a branch as long as nothing is locked."""
    take: Sequence[str]
    """Patterns of the paths that are wanted. There is no code among them: the engines bring their own."""
    reported: Mapping[str, str]
    """SHA-256 that others name for some of the files. Nothing is fetched by them; the hub's must be the same."""
    mirror: str

    @classmethod
    def of(cls, file: Path, mirror: str = "") -> "Lock":
        """Raises BadLock."""
        content = tomllib.loads(file.read_text())
        own = content["source"].rstrip("/")
        found = _SOURCE.search(own)
        if found is None:
            raise BadLock(f"{file}: the source must end with owner/name/resolve/revision, and is {own!r}")
        source = mirrored(own, mirror)
        endpoint = source[: -len(found[0])]
        reported = content.get("reported", {})
        return cls(file, endpoint, found[1], found[2], content["take"], reported, mirror)

    def files(self) -> list[LockedFile]:
        """Raises NotLocked and BadLock."""
        files = read(self.file, self.mirror)
        if not files or not _COMMIT.fullmatch(self.revision):
            raise NotLocked(f"{self.file} names no files of {self.repository} yet")
        return files

    def fill(self, hub: Hub) -> dict[str, str]:
        """Write the commit and the hashes as the hub has them into the lock, and return the hashes.

        Raises Unreachable, WrongContent, and BadLock if the hub contradicts what is reported, or has nothing to take.
        """
        commit = hub.commit(self.repository, self.revision)
        if _COMMIT.fullmatch(self.revision) and commit != self.revision:
            raise BadLock(f"the hub takes {self.revision} of {self.repository} for {commit}")
        wanted = [file for file in hub.files(self.repository, commit) if self._wants(file.name)]
        if not wanted:
            raise BadLock(f"{self.repository} at {commit} has nothing that {self.file} takes")
        hashes = {file.name: hub.sha256(self.repository, commit, file) for file in wanted}
        for name, reported in self.reported.items():
            if hashes.get(name) != reported:
                raise BadLock(
                    f"{name} of {self.repository} is {hashes.get(name, 'not there')} at the hub, and {reported} by "
                    f"what others report: find out why, then correct or remove that line in {self.file}"
                )
        text = self.file.read_text()
        head = text[: text.index(_HASHES)].replace(f"/resolve/{self.revision}", f"/resolve/{commit}")
        lines = "".join(f'"{name}" = "{digest}"\n' for name, digest in hashes.items())
        self.file.write_text(head + _HASHES + lines)
        return hashes

    def _wants(self, name: str) -> bool:
        return any(fnmatch(name, pattern) and name.count("/") == pattern.count("/") for pattern in self.take)

"""Lock files of repositories at the hub of models: they pin a commit, and are filled in by what the hub says."""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from huggingface_hub import HfApi, RepoFile, hf_hub_url

from weights.download import Unreachable, WrongContent, fetch_bytes, unreachable
from weights.lock_file import BadLock, LockedFile, mirrored, read

_SOURCE: Final = re.compile(r"/([\w.-]+/[\w.-]+)/resolve/([\w.-]+)$")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_HASHES: Final = "[sha256]\n"


class NotLocked(Exception):  # noqa: N818 - it names a state of affairs
    """The lock names no files yet."""


@dataclass(frozen=True, slots=True)
class HubLock:
    file: Path
    endpoint: str
    """The address of the hub, or of its mirror."""
    repository: str
    revision: str
    """A commit, or a branch as long as nothing is locked."""
    take: Sequence[str]
    """Patterns of the paths to download. They match no code: the engines bring their own."""
    reported: Mapping[str, str]
    """SHA-256 of some files as others report them. Nothing is downloaded by these; the hub's must be the same."""
    mirror: str

    @classmethod
    def of(cls, file: Path, mirror: str = "") -> "HubLock":
        """Reads the file. Raises BadLock."""
        content = tomllib.loads(file.read_text())
        published = content["source"].rstrip("/")
        found = _SOURCE.search(published)
        if found is None:
            raise BadLock(f"{file}: the source must end with owner/name/resolve/revision, and is {published!r}")
        endpoint = mirrored(published, mirror)[: -len(found[0])]
        return cls(file, endpoint, found[1], found[2], content["take"], content.get("reported", {}), mirror)

    def files(self) -> list[LockedFile]:
        """Returns the locked files. Raises NotLocked and BadLock."""
        files = read(self.file, self.mirror)
        if not files or not _COMMIT.fullmatch(self.revision):
            raise NotLocked(f"{self.file} names no files of {self.repository} yet")
        return files

    def update(self, token: str = "") -> dict[str, str]:
        """Writes the commit and the hashes as the hub has them into the lock, and returns the hashes by path.

        Raises Unreachable, WrongContent, and BadLock if the hub contradicts what is reported, or has nothing to take.
        """
        hub = HfApi(self.endpoint, token=token or False, library_name="lectern")
        commit, wanted = self._ask(hub)
        if _COMMIT.fullmatch(self.revision) and commit != self.revision:
            raise BadLock(f"the hub takes {self.revision} of {self.repository} for {commit}")
        if not wanted:
            raise BadLock(f"{self.repository} at {commit} has nothing that {self.file} takes")
        hashes = {file.path: self._sha256(commit, file, token) for file in wanted}
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

    def _ask(self, hub: HfApi) -> tuple[str, list[RepoFile]]:
        """Returns the commit that the revision names, and its files that match a pattern."""
        with unreachable(f"{self.endpoint}/{self.repository}"):
            try:
                commit = str(hub.model_info(self.repository, revision=self.revision).sha)
                entries = list(hub.list_repo_tree(self.repository, recursive=True, revision=commit))
            except ValueError as error:
                raise Unreachable(f"{self.endpoint} answers no JSON: is it a hub of models? ({error})") from error
        files = [entry for entry in entries if isinstance(entry, RepoFile) and self._matches(entry.path)]
        return commit, sorted(files, key=lambda file: file.path)

    def _sha256(self, commit: str, file: RepoFile, token: str) -> str:
        """Returns the hub's own SHA-256 of a large file. It has none of a small one, which is downloaded for that.

        Raises WrongContent if the content is not the blob that the commit has.
        """
        if file.lfs is not None:
            return file.lfs.sha256
        url = hf_hub_url(self.repository, file.path, revision=commit, endpoint=self.endpoint)
        content = fetch_bytes(url, token=token)
        if hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() != file.blob_id:
            raise WrongContent(f"{url} is not what the hub's list of files says it is")
        return hashlib.sha256(content).hexdigest()

    def _matches(self, name: str) -> bool:
        return any(fnmatch(name, pattern) and name.count("/") == pattern.count("/") for pattern in self.take)

"""LECTERN_HOME: the folder with all state of a stack, locked by one supervisor at a time."""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.embedded import CannotStart

_MARKER_TEXT = "This folder is Lectern's. `make purge` deletes it with all that is in it.\n"


@dataclass(frozen=True, slots=True)
class Home:
    path: Path

    @property
    def marker(self) -> Path:
        """Marks the folder as Lectern's; no folder without it is ever deleted."""
        return self.path / ".lectern"

    @property
    def lock(self) -> Path:
        return self.path / "stack.lock"

    @property
    def record(self) -> Path:
        """How the running stack is reached, as JSON."""
        return self.path / "stack.json"

    @property
    def api_key(self) -> Path:
        return self.path / "api-key"

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def postgres_password(self) -> Path:
        return self.path / "postgres-password"

    @property
    def store(self) -> Path:
        return self.path / "store"

    @property
    def triton(self) -> Path:
        return self.path / "triton"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def sample(self) -> Path:
        return self.path / "sample.opus"

    @property
    def sample_document(self) -> Path:
        """The id of the sample document that was read last, and the hash of what the reading depended on."""
        return self.path / "sample-document"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Makes and marks the folder. Raises CannotStart if it cannot be written, or has other files."""
        advice = "choose another folder with LECTERN_HOME"
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self.marker.exists():
                if any(self.path.iterdir()):
                    raise CannotStart(f"{self.path} is not empty and not Lectern's: {advice}")
                write_atomically(self.marker, _MARKER_TEXT, mode=0o600)
            # Root runs Postgres as another user, who must pass through this folder but not list it.
            self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for folder in (self.logs, self.store, self.triton):
                folder.mkdir(exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except (NotADirectoryError, FileExistsError):
            raise CannotStart(f"{self.path} is not a folder: {advice}") from None
        except OSError as error:
            raise CannotStart(f"cannot write in {self.path} ({error.strerror}): {advice}") from None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Locks the folder. Raises CannotStart if another supervisor has it locked.

        The kernel releases the lock when its holder dies, so no lock is left behind.
        """
        with open(self.lock, "ab", opener=private_opener) as file:  # who can read a lock can hold it
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CannotStart(self._already_running()) from None
            yield

    def is_locked(self) -> bool:
        """Returns whether a supervisor has the folder locked."""
        try:
            with self.lock.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def _already_running(self) -> str:
        running = self.read_record() or {}
        at = f" at {running['url']}" if "url" in running else ""
        return (
            f"Lectern already runs in {self.path}{at} (process {running.get('pid', 'unknown')}): "
            "stop it with `make down`, or run another beside it with other values of LECTERN_HOME and LECTERN_PORT"
        )

    def write_record(self, **values: Any) -> None:  # noqa: ANN401 - JSON
        """Writes how the running stack is reached; readers see the old record or the new one, never half of one."""
        write_atomically(self.record, json.dumps(values, indent=2) + "\n", mode=0o600)

    def read_record(self) -> dict[str, Any] | None:
        try:
            found = json.loads(self.record.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return found if isinstance(found, dict) else None

    def purge(self) -> None:
        """Deletes the folder. Raises CannotStart if it is locked or has no marker."""
        if not self.path.exists():
            return
        if not self.marker.is_file():
            raise CannotStart(f"{self.path} does not carry Lectern's marker ({self.marker.name}): nothing is deleted")
        with self.locked():
            for entry in self.path.iterdir():
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                elif entry != self.marker:
                    entry.unlink()
            shutil.rmtree(self.path)  # the marker goes last, so that an interrupted purge can be run again


def private_opener(path: str, flags: int) -> int:
    """Opens a file so that only our user can read it."""
    descriptor = os.open(path, flags, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def write_atomically(path: Path, text: str, mode: int) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(descriptor, mode)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise

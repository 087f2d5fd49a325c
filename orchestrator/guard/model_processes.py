"""The processes of Triton's Python models ("stubs") and their shared memory, found on this machine.

Triton does not restart a dead stub, cannot unload a hanging one, and leaves their shared memory behind; a killed Triton
leaves the stubs behind too.
"""

import contextlib
import os
import signal
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "triton_python_backend_stub"
SERVER = "tritonserver"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder of POSIX shared memory
STARTING = 60.0  # seconds, far more than Triton takes from making a region to starting its stub


@dataclass(frozen=True, slots=True)
class Stub:
    """One model process."""

    pid: int
    model: str
    region: str
    """The name of its shared memory."""

    def alive(self) -> bool:
        """Returns whether the process runs; a zombie does not."""
        return _state(self.pid) not in ("", "Z", "X")

    def orphaned(self) -> bool:
        """Returns whether its server has ended."""
        fields = _status(self.pid)
        try:
            return bool(fields) and Path(f"/proc/{fields[1]}/comm").read_text().strip() != SERVER
        except OSError:
            return True

    def kill(self) -> None:
        """Kills the process, even if it is stopped."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Stubs:
    """The stubs of one Triton, known by the prefix of its shared memory's names.

    Other users may use the same names; their processes and files are ignored.
    """

    prefix: str

    def find(self, model: str | None = None) -> list[Stub]:
        """Returns the living stubs of one model or of all."""
        found = (self._read(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        return [stub for stub in found if stub is not None and model in (None, stub.model) and stub.alive()]

    def clean(self, ended: Iterable[Stub] = ()) -> list[str]:
        """Removes the shared memory of ended stubs, and what no stub uses any more. Returns the names.

        Other models may load meanwhile: Triton makes a region a moment before it starts the stub that uses it. So of
        regions whose stub is unknown, as those of loads that failed, only old ones are removed.
        """
        used = {stub.region for stub in self.find()}
        known = {stub.region for stub in ended}
        unused = [path for path in self._regions() if path.name not in used and (path.name in known or _is_old(path))]
        for path in unused:
            path.unlink(missing_ok=True)
        return [path.name for path in unused]

    def end_orphans(self) -> list[Stub]:
        """Kills the stubs whose server has ended, and returns them.

        They end by themselves, unless the server was killed while it held a lock of their shared memory.
        """
        left = [stub for stub in self.find() if stub.orphaned()]
        for stub in left:
            stub.kill()
        return left

    def end_all(self) -> list[Stub]:
        """Kills the stubs that an ended server left behind, and removes its shared memory. Returns the killed stubs."""
        left = self.find()
        for stub in left:
            stub.kill()
        for path in self._regions():
            path.unlink(missing_ok=True)
        return left

    def _regions(self) -> Iterator[Path]:
        for path in SHARED_MEMORY.glob(f"{self.prefix}*"):
            with contextlib.suppress(FileNotFoundError):
                found = path.lstat()
                if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
                    yield path

    def _read(self, entry: Path) -> Stub | None:
        """Parses a command line: program, REPOSITORY/MODEL/VERSION/model.py, name of the shared memory, and more."""
        try:
            if entry.stat().st_uid != os.geteuid():
                return None
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it ended meanwhile
            return None
        if len(words) < 3 or Path(words[0]).name != PROGRAM or not words[2].startswith(self.prefix):  # noqa: PLR2004
            return None
        return Stub(int(entry.name), Path(words[1]).parent.parent.name, words[2])


def _is_old(region: Path) -> bool:
    try:
        return time.time() - region.stat().st_ctime > STARTING
    except FileNotFoundError:
        return False


def _state(pid: int) -> str:
    """Returns the kernel's letter for a process's state, empty if there is no such process."""
    return next(iter(_status(pid)), "")


def _status(pid: int) -> list[str]:
    """Returns the kernel's fields of a process from its state and its parent on, none if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []

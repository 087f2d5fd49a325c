"""Whom Postgres runs as: it refuses to run as root."""

import os
import pwd
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.embedded.errors import CannotStart
from orchestrator.embedded.settings import EmbeddedSettings
from orchestrator.lib.environment import read

SETTING = "LECTERN_POSTGRES_USER"
CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class ServiceUser:
    name: str
    uid: int
    gid: int


def service_user(environment: Mapping[str, str] = os.environ) -> ServiceUser | None:
    """Return the account that Postgres runs as, None when that is whoever asks. Raises CannotStart."""
    if os.geteuid() != 0:
        return None
    wanted = read(EmbeddedSettings, environment).postgres_user
    for name in (wanted,) if wanted else CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid == 0:
            raise CannotStart(f"Postgres does not run as {name}, which is root: set {SETTING} to an ordinary account")
        return ServiceUser(entry.pw_name, entry.pw_uid, entry.pw_gid)
    named = wanted or " or ".join(CANDIDATES)
    raise CannotStart(f"there is no account named {named} for Postgres to run as: set {SETTING} to one that exists")


def can_run(user: ServiceUser, program: Path) -> bool:
    """Say whether this user can run the program with all the libraries it needs, by running its `--version`."""
    return _as(user, [str(program), "--version"])


def check_reach(user: ServiceUser | None, folder: Path) -> None:
    """Raises CannotStart, naming the folder that is in the way, if this user cannot pass through to this folder."""
    if user is None or _can_enter(user, folder):
        return
    barrier = next(path for path in (*reversed(folder.parents), folder) if not _can_enter(user, path))
    raise CannotStart(
        f"the account {user.name}, which Postgres runs as, cannot pass through {barrier}: set LECTERN_HOME to a folder "
        f"that every user may pass through, or {SETTING} to another account"
    )


def _can_enter(user: ServiceUser, folder: Path) -> bool:
    return _as(user, ["test", "-x", str(folder)])


def _as(user: ServiceUser, argv: list[str]) -> bool:
    # `setpriv` itself is found and started as root: only the reach of what it then runs is judged.
    command = ["setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups", "--", *argv]
    return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0  # noqa: S603

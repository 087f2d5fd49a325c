"""The account that Postgres runs as, since it refuses to run as root."""

import os
import pwd
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.embedded import CannotStart
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
    """Returns the account that Postgres runs as, or None for our own. Raises CannotStart."""
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
    """Returns whether this user can run the program with its libraries, by a run of its `--version`."""
    return _succeeds_as(user, [str(program), "--version"])


def check_reach(user: ServiceUser | None, folder: Path) -> None:
    """Raises CannotStart, with the folder that is in the way, if this user cannot reach this folder."""
    if user is None or _can_enter(user, folder):
        return
    barrier = next(path for path in (*reversed(folder.parents), folder) if not _can_enter(user, path))
    raise CannotStart(
        f"the account {user.name}, which Postgres runs as, cannot pass through {barrier}: set LECTERN_HOME to a folder "
        f"that every user may pass through, or {SETTING} to another account"
    )


def _can_enter(user: ServiceUser, folder: Path) -> bool:
    return _succeeds_as(user, ["test", "-x", str(folder)])


def _succeeds_as(user: ServiceUser, argv: list[str]) -> bool:
    # `setpriv` itself is found and started as root; only its command runs as the user.
    command = ["setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups", "--", *argv]
    return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0  # noqa: S603

"""A Postgres data directory: made whole or not at all, and never used by two servers."""

import asyncio
import os
import secrets
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from orchestrator.embedded import CannotStart
from orchestrator.embedded.child_process import Child, Command
from orchestrator.embedded.postgres_binaries import MAJOR, Binaries
from orchestrator.embedded.service_user import ServiceUser, check_reach

SUPERUSER = "lectern"
INIT_TIMEOUT = 120.0
LEFTOVER_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class DataDirectory:
    path: Path
    password_file: Path
    user: ServiceUser | None
    """The account that owns it; None: our own."""

    @property
    def exists(self) -> bool:
        return self.path.exists()

    def password(self) -> str:
        try:
            return self.password_file.read_text().strip()
        except FileNotFoundError:
            raise CannotStart(
                f"{self.password_file} is missing, without which the data in {self.path} cannot be reached: put it back"
            ) from None

    async def make(self, binaries: Binaries, log: Path) -> None:
        """Makes the directory. Raises CannotStart."""
        parent = self.path.parent
        partial = await asyncio.to_thread(self._make_partial)
        child = await Child.spawn(
            Command(_initdb(binaries, partial, self.password_file), log, environment(), parent, self.user)
        )
        try:
            status = await asyncio.wait_for(child.wait(), INIT_TIMEOUT)
        finally:
            await child.stop()
        if status != 0:
            raise CannotStart(f"the database could not be made in {parent}: {child.tail()} (see {log})")
        # Renamed when it is whole: an interrupted start leaves nothing that looks like data.
        partial.rename(self.path)

    def check(self) -> None:
        """Raises CannotStart if our server cannot serve this directory, or another server does now."""
        version = (self.path / "PG_VERSION").read_text().strip() if (self.path / "PG_VERSION").exists() else "unknown"
        if version != str(MAJOR):
            raise CannotStart(
                f"{self.path} holds data of Postgres {version}, and this is {MAJOR}: move the data with pg_dump, "
                "or set DATABASE_URL to a server that serves it"
            )
        owner, ours = self.path.stat().st_uid, self.user.uid if self.user else os.geteuid()
        if owner != ours:
            raise CannotStart(
                f"{self.path} belongs to user {owner}, and Postgres would run as user {ours}: "
                "start Lectern as the user who started it first, or set LECTERN_POSTGRES_USER"
            )
        if (pid := self.postmaster()) is not None:
            raise CannotStart(f"{self.path} is in use by the Postgres server of process {pid}: stop that one first")

    def postmaster(self) -> int | None:
        """Returns the process id of the server that serves this directory now, or None.

        The pid file outlives a killed server, and its number may belong to another process now; a zombie serves
        nothing either. Such a file is removed, because Postgres would trust it and not start.
        """
        file = self.path / "postmaster.pid"
        try:
            pid = int(file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        if _serves(pid, self.path):
            return pid
        file.unlink(missing_ok=True)
        return None

    async def stop_leftover(self) -> int | None:
        """Stops the server that a dead supervisor left behind, and returns its process id, or None if there is none.

        The home's lock must be held, so that no living supervisor has that server. Raises CannotStart if it runs on.
        """
        pid = self.postmaster()
        if pid is None:
            return None
        began = time.monotonic()
        # SIGINT ends its connections and writes a checkpoint; SIGQUIT leaves that to the recovery of the next start.
        for number, limit in ((signal.SIGINT, LEFTOVER_TIMEOUT / 2), (signal.SIGQUIT, LEFTOVER_TIMEOUT)):
            os.kill(pid, number)
            while time.monotonic() - began < limit:
                if self.postmaster() is None:
                    return pid
                await asyncio.sleep(0.02)
        raise CannotStart(f"the Postgres server left over as process {pid} does not stop: end it, then start again")

    def _make_partial(self) -> Path:
        check_reach(self.user, self.path.parent)
        partial = self.path.with_name(f"{self.path.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        self._write_password()
        self._hand_over(partial)
        return partial

    def _write_password(self) -> None:
        descriptor = os.open(self.password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        self._hand_over(self.password_file)

    def _hand_over(self, path: Path) -> None:
        if self.user is not None:
            os.chown(path, self.user.uid, self.user.gid)


def _serves(pid: int, folder: Path) -> bool:
    """Returns whether this process is a running Postgres server of this data directory."""
    process = Path(f"/proc/{pid}")
    try:
        return (process / "cwd").readlink() == folder.resolve()  # a server works in its data directory
    except PermissionError:
        # Root in a container may not be allowed to inspect another user's process; everybody may read command lines.
        arguments = (process / "cmdline").read_bytes().split(b"\0")
        return arguments[0].endswith(b"postgres") and os.fsencode(folder) in arguments
    except OSError:  # no such process, or a zombie
        return False


def _initdb(binaries: Binaries, folder: Path, password_file: Path) -> list[str]:
    return [
        str(binaries.initdb),
        f"--pgdata={folder}",
        f"--username={SUPERUSER}",
        f"--pwfile={password_file}",
        "--auth-local=scram-sha-256",
        "--auth-host=scram-sha-256",
        "--encoding=UTF8",
        # The same sort order on every machine, whatever locales are installed.
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--data-checksums",
    ]


def environment() -> dict[str, str]:
    """Returns the variables of Postgres's programs: English messages, and nothing of our own environment."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

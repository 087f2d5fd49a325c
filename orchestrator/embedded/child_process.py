"""Child processes that never outlive the supervisor, whatever ends it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.embedded.service_user import ServiceUser

UNLESS_ORPHANED = '[ "$PPID" = "$0" ] && exec "$@"'
"""Runs the program only under a living supervisor: one that is killed before the death signal is set sends none."""
LOG_LIMIT = 8 << 20  # bytes; a longer log is moved to NAME.log.1 at the next start


@dataclass(frozen=True, slots=True)
class Command:
    """How a process is started and stopped."""

    argv: Sequence[str]
    log: Path
    env: Mapping[str, str]
    folder: Path
    user: ServiceUser | None = None
    """The account that it runs as; None: the supervisor's own."""
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    """Seconds between the stop signal and SIGKILL."""
    death_signal: signal.Signals = signal.SIGKILL
    """The signal that the kernel sends when the supervisor dies."""
    output: int | None = field(default=None)
    """`asyncio.subprocess.PIPE`, or None: standard output goes to the log, as standard error does."""


class Child:
    """A running command, the leader of its own session: Ctrl-C in the terminal reaches only the supervisor."""

    def __init__(self, command: Command, process: asyncio.subprocess.Process) -> None:
        self.command = command
        self.process = process

    @property
    def pid(self) -> int:
        return self.process.pid

    @classmethod
    async def spawn(cls, command: Command) -> "Child":
        """Raises OSError if the program cannot be run."""
        rotate(command.log)
        command.log.parent.mkdir(parents=True, exist_ok=True)
        with command.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *_prefix(command), *command.argv, env=dict(command.env), cwd=command.folder, start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL, stdout=log if command.output is None else command.output, stderr=log,
            )  # fmt: skip
        return cls(command, process)

    async def wait(self) -> int:
        """Returns the exit status, negative for a signal."""
        return await self.process.wait()

    async def stop(self) -> None:
        """Sends the stop signal, and after the grace kills the process and its children."""
        if self.process.returncode is None:
            # Only the leader gets the signal: it decides in which order its own children end.
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(self.command.stop_signal)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), self.command.grace)
        self.kill()
        await self.process.wait()

    def kill(self) -> None:
        """Kills the process and the rest of its process group at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def rotate(log: Path, limit: int = LOG_LIMIT) -> None:
    """Moves a log that is longer than `limit` bytes to NAME.log.1, in place of the one before."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > limit:
            log.replace(log.with_name(f"{log.name}.1"))


def tail(log: Path, preferred: str = "") -> str:
    """Returns the last line of a log with `preferred` in it, else the last line; empty if the log is."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if preferred in line), lines[-1] if lines else "")


def _prefix(command: Command) -> list[str]:
    """Returns the command that sets the death signal and the user in the child before its program runs.

    Python's own `preexec_fn` may deadlock in a process that has threads.
    """
    prefix = ["setpriv", "--pdeathsig", command.death_signal.name.removeprefix("SIG")]
    if command.user is not None:
        prefix += [f"--reuid={command.user.uid}", f"--regid={command.user.gid}", "--clear-groups"]
    return [*prefix, "--", "sh", "-c", UNLESS_ORPHANED, str(os.getpid())]

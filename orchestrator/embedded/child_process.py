"""Child processes that never outlive the supervisor, whatever ends it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.embedded.logs import open_log, rotate
from orchestrator.embedded.service_user import ServiceUser

UNLESS_ORPHANED = '[ "$PPID" = "$0" ] && exec "$@"'
"""Runs the program only under a living supervisor: one that is killed before the death signal is set sends none."""
TAIL = 64 << 10  # bytes of a log in which the reason of an end is looked for


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

    def __init__(self, command: Command, process: asyncio.subprocess.Process, log_start: int) -> None:
        """``log_start``: the size of the log before the process wrote to it."""
        self.command = command
        self.process = process
        self._log_start = log_start

    @property
    def pid(self) -> int:
        return self.process.pid

    @classmethod
    async def spawn(cls, command: Command) -> "Child":
        """Raises OSError if the program cannot be run."""
        rotate(command.log)
        command.log.parent.mkdir(parents=True, exist_ok=True)
        with open_log(command.log) as log:
            log_start = os.fstat(log.fileno()).st_size
            process = await asyncio.create_subprocess_exec(
                *_prefix(command), *command.argv, env=dict(command.env), cwd=command.folder, start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL, stdout=log if command.output is None else command.output, stderr=log,
            )  # fmt: skip
        return cls(command, process, log_start)

    def lines(self) -> list[str]:
        """Returns the last lines of the log that this process and its children have written, without empty ones."""
        with self.command.log.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = self._log_start if size >= self._log_start else 0  # it was rotated meanwhile
            file.seek(max(start, size - TAIL))
            text = file.read().decode(errors="replace")
        return [line.strip() for line in text.splitlines() if line.strip()]

    def tail(self, preferred: str = "") -> str:
        """Returns the last of its lines with ``preferred`` in it, else the last one with a word in it."""
        lines = [line for line in self.lines() if any(map(str.isalpha, line))]
        last = lines[-1] if lines else f"it wrote nothing into {self.command.log.name}"
        return next((line for line in reversed(lines) if preferred in line), last)

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


def _prefix(command: Command) -> list[str]:
    """Returns the command that sets the death signal and the user in the child before its program runs.

    Python's own `preexec_fn` may deadlock in a process that has threads.
    """
    prefix = ["setpriv", "--pdeathsig", command.death_signal.name.removeprefix("SIG")]
    if command.user is not None:
        prefix += [f"--reuid={command.user.uid}", f"--regid={command.user.gid}", "--clear-groups"]
    return [*prefix, "--", "sh", "-c", UNLESS_ORPHANED, str(os.getpid())]

"""The processes that a process has started, and theirs."""

import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    state: str
    arguments: tuple[str, ...]

    @property
    def program(self) -> str:
        return Path(self.arguments[0]).name if self.arguments else ""

    @property
    def runs(self) -> bool:
        """Whether it still runs; a zombie does not."""
        return self.state not in "ZX"


def descendants(pid: int) -> list[Process]:
    everything = list(_all())
    found = [process for process in everything if process.parent == pid]
    for process in found:  # grows while it is walked
        found.extend(child for child in everything if child.parent == process.pid)
    return found


def running(pid: int) -> list[Process]:
    return [process for process in descendants(pid) if process.runs]


def wait_until_gone(processes: list[Process], limit: float = 60.0) -> None:
    until = time.monotonic() + limit
    while remaining := [process for process in processes if _still_runs(process)]:
        assert time.monotonic() < until, f"still running: {remaining}"
        time.sleep(0.05)


def _still_runs(process: Process) -> bool:
    now = _read(process.pid)
    # Another process may have the number by now.
    return now is not None and now.runs and now.arguments == process.arguments


def _all() -> list[Process]:
    numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [process for number in numbers if (process := _read(number)) is not None]


def _read(pid: int) -> Process | None:
    folder = Path("/proc") / str(pid)
    try:
        state, parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:2]
        arguments = (folder / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Process(pid, int(parent), state, tuple(argument.decode() for argument in arguments if argument))

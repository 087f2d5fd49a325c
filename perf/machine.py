"""Describes the machine, and measures processor time of processes."""

import os
import platform
from pathlib import Path
from typing import Any, Final

TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
LISTENING: Final = "0A"  # the state in /proc/net/tcp


def machine() -> dict[str, Any]:
    cpu = (line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": next(cpu, platform.machine()).partition(":")[2].strip(),
        "processors": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 2),
    }


def cpu_seconds(root: int) -> float:
    """Returns the processor time, user and system, of a process and its living descendants since they began."""
    stats = _stats()
    tree = {root}
    grown = True
    while grown:
        children = {pid for pid, (parent, _) in stats.items() if parent in tree}
        grown = not children <= tree
        tree |= children
    return sum(stats[pid][1] for pid in tree if pid in stats) / TICKS_PER_SECOND


def busy_seconds() -> float:
    """Returns the seconds of processor time that everything on this machine has taken so far."""
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq")
    ticks = dict(zip(names, map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:]), strict=False))
    return sum(ticks[name] for name in names if name not in ("idle", "iowait")) / TICKS_PER_SECOND


def pid_listening_on(address: str) -> int:
    """Returns the process on this machine that listens at ``host:port``, or at ``unix:/path``. Raises LookupError."""
    found = (
        _sockets_at(address[5:]) if address.startswith("unix:") else _listening_inodes(int(address.rpartition(":")[2]))
    )
    inodes = {f"socket:[{inode}]" for inode in found}
    holders = [pid for pid in _processes() if inodes & _open_files(pid)]
    if not holders:
        raise LookupError(f"No process that may be looked at listens at {address}: run this as the stack's user.")
    return min(holders)


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        rows = [row.split() for row in Path(table).read_text().splitlines()[1:]] if Path(table).exists() else []
        inodes |= {row[9] for row in rows if row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == port}
    return inodes


def _sockets_at(path: str) -> set[str]:
    """A server's connections stand under its path too, and are its own."""
    rows = [row.split(maxsplit=7) for row in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return {row[6] for row in rows if row[7:] == [path]}


def _open_files(pid: int) -> set[str]:
    found = set()
    try:
        for file in Path(f"/proc/{pid}/fd").iterdir():
            found.add(str(file.readlink()))
    except OSError:  # the process or the file is gone, or is another user's
        pass
    return found


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stats() -> dict[int, tuple[int, int]]:
    """Returns the parent of each process, and its processor time in ticks."""
    stats = {}
    for pid in _processes():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended
            continue
        stats[pid] = int(fields[1]), int(fields[11]) + int(fields[12])
    return stats

"""Measures the memory of processes, in RAM and on GPUs."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, Self

EVERY: Final = 1.0  # seconds between two looks
MIB: Final = 2**20

_QUERY_SECONDS: Final = 20


def processes() -> dict[int, tuple[int, list[str]]]:
    """Returns the parent and the command line of each process."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                found[int(entry.name)] = parent, (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:  # it ended
                continue
    return found


def tree(root: int) -> set[int]:
    """Returns the process and its descendants."""
    parents = {pid: parent for pid, (parent, _) in processes().items()}
    found = {root}
    while grown := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= grown
    return found & (parents.keys() | {root})


def engines(root: int) -> dict[str, set[int]]:
    """Returns the engine processes below Triton with their workers, by the driver that speaks in them."""
    everything, found = processes(), dict[str, set[int]]()
    for pid in tree(root):
        command = everything.get(pid, (0, []))[1]
        if "lectern_triton.higgs_engine" in command and "--driver" in command:
            found.setdefault(command[command.index("--driver") + 1], set()).update(tree(pid))
    return found


def resident(pids: Iterable[int]) -> int:
    """Returns the bytes that the processes hold; what several share counts once."""
    return sum(_share(pid) for pid in pids)


def gpus() -> list[dict[str, Any]]:
    """Returns the machine's NVIDIA GPUs; none if there is no nvidia-smi."""
    rows = _asked("--query-gpu=name,driver_version,memory.total,memory.used")
    names = ("name", "driver", "memory_mib", "used_mib")
    return [dict(zip(names, (row[0], row[1], _number(row[2]), _number(row[3])), strict=True)) for row in rows]


def gpu_bytes(pids: Iterable[int]) -> int:
    """Returns the bytes that the processes hold on all GPUs; in a container the driver may not know their ids."""
    wanted = set(pids)
    rows = _asked("--query-compute-apps=pid,used_memory")
    return sum(_number(row[1]) * MIB for row in rows if _number(row[0]) in wanted)


class Peak:
    """Keeps the greatest value of each measure while the block runs."""

    def __init__(self, measure: Callable[[], dict[str, int]]) -> None:
        self._measure = measure
        self.values: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watching.cancel()
        await asyncio.wait([self._watching])
        if not self._watching.cancelled():
            self._watching.result()
        self._look()

    async def _watch(self) -> None:
        while True:
            await asyncio.to_thread(self._look)
            await asyncio.sleep(EVERY)

    def _look(self) -> None:
        for name, value in self._measure().items():
            self.values[name] = max(value, self.values.get(name, 0))


def _share(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:  # it ended, or is another user's
        pass
    return 0


def _number(cell: str) -> int:
    return int(cell) if cell.isdigit() else 0  # "[N/A]", where a GPU is shared in a way that hides it


def _asked(query: str) -> list[list[str]]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    answer = subprocess.run(
        [tool, query, "--format=csv,noheader,nounits"],
        capture_output=True, text=True, timeout=_QUERY_SECONDS, check=False,
    )  # fmt: skip
    rows = [[cell.strip() for cell in line.split(",")] for line in answer.stdout.splitlines() if line.strip()]
    return rows if answer.returncode == 0 else []

"""Shows how far a download is: one line that is written over on a terminal, a few lines anywhere else."""

import sys
import time
from typing import Final, TextIO

EVERY: Final = 5.0  # seconds between two lines where they cannot be written over
MEGA: Final = 1e6


class DownloadProgress:
    def __init__(self, out: TextIO = sys.stderr) -> None:
        self._out = out
        self._file = ""
        self._said = self._began = 0.0
        self._first = 0

    def __call__(self, name: str, there: int, total: int | None) -> None:
        now = time.monotonic()
        if name != self._file:
            self._file, self._began, self._first, self._said = name, now, there, float("-inf")
        whole = total is not None and there >= total
        if not whole and now - self._said < (0.1 if self._out.isatty() else EVERY):
            return
        self._said = now
        rate = (there - self._first) / max(now - self._began, 1e-3) / MEGA
        share = f"{there / total:4.0%} of {total / MEGA:.1f} MB" if total else f"{there / MEGA:.1f} MB"
        line = f"{name}: {share}, {rate:.1f} MB/s"
        if self._out.isatty():
            self._out.write(f"\r\033[K{line}" + ("\n" if whole else ""))
        else:
            self._out.write(f"{line}\n")
        self._out.flush()

"""The logs of a home: one file for each service, which only our user can read, and which never grows without end."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import BinaryIO

from orchestrator.embedded.home import private_opener

LOG_LIMIT = 8 << 20  # bytes; what is longer is moved to NAME.log.1, in place of what was there
CHECK = 1.0  # seconds


def open_log(log: Path) -> BinaryIO:
    """Opens a log for appending. Whoever writes to it must append, or `rotate` leaves a hole."""
    return open(log, "ab", opener=private_opener)


async def keep_bounded(folder: Path) -> None:
    """Rotates the logs in a folder while others write to them, until cancelled."""
    while True:
        await asyncio.to_thread(_rotate_all, folder)
        await asyncio.sleep(CHECK)


def _rotate_all(folder: Path) -> None:
    for log in folder.glob("*.log"):
        rotate(log)


def rotate(log: Path, limit: int = LOG_LIMIT) -> None:
    """Moves the content of a log that is longer than ``limit`` bytes.

    The file itself stays, since processes have it open: Triton and Postgres cannot be told to open another. What they
    write in the microseconds between the last read and the cut is lost. On a full disk the content is dropped.
    """
    try:
        file = log.open("r+b")
    except FileNotFoundError:
        return
    with file:
        if os.fstat(file.fileno()).st_size <= limit:
            return
        earlier = log.with_name(f"{log.name}.1")
        earlier.unlink(missing_ok=True)
        try:
            with open(earlier, "wb", opener=private_opener) as target:
                shutil.copyfileobj(file, target)
        except OSError:
            earlier.unlink(missing_ok=True)
        file.truncate(0)

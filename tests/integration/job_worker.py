"""A worker whose jobs do what a test needs: ``python -m tests.integration.job_worker FOLDER [hasty]``.

Each run leaves a line in FOLDER/KIND.log. A hasty worker takes over, looks for jobs and stops sooner than a real one.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from orchestrator.jobs.queue import Kind
from orchestrator.jobs.run import JobRun
from orchestrator.jobs.settings import WorkerSettings
from orchestrator.jobs.worker import Worker
from orchestrator.lib import database, logs
from orchestrator.lib.database import DB
from orchestrator.lib.environment import read
from orchestrator.lib.errors.problems import BadRequest
from orchestrator.lib.object_store import StoreFailed
from orchestrator.lib.settings import DatabaseSettings, LogSettings

HOLD: Final = Kind("hold")
DIE: Final = Kind("die")
DIE_ONCE: Final = Kind("die_once")
FAIL: Final = Kind("fail")
REFUSE: Final = Kind("refuse")
LOSE_STORE: Final = Kind("lose_store")
LOSE_DATABASE: Final = Kind("lose_database")
COUNT: Final = Kind("count")


def note(kind: str, line: str = "") -> None:
    with (Path(sys.argv[1]) / f"{kind}.log").open("a") as file:
        file.write(f"{os.getpid()} {line}\n")


async def hold(job: JobRun) -> None:
    """Works until it is cancelled, or until the file `release` exists."""
    note("hold", "begun")
    job.progress.update(1, 3, "Holding")
    try:
        while not (Path(sys.argv[1]) / "release").exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        note("hold", "cleaned up")
        raise
    note("hold", "done")


async def die(_: JobRun) -> None:
    note("die")
    os.kill(os.getpid(), signal.SIGKILL)


async def die_once(_: JobRun) -> None:
    seen = (Path(sys.argv[1]) / "die_once.log").exists()
    note("die_once")
    if not seen:
        os.kill(os.getpid(), signal.SIGKILL)


async def fail(_: JobRun) -> None:
    note("fail")
    if not (Path(sys.argv[1]) / "mended").exists():
        raise RuntimeError("nobody knows why")


async def refuse(_: JobRun) -> None:
    note("refuse")
    raise BadRequest("'text' has no words. Send some.")


async def lose_store(_: JobRun) -> None:
    note("lose_store")
    raise StoreFailed


async def lose_database(_: JobRun) -> None:
    """Loses its connection in the middle of a transaction; other connections stay."""
    async with DB.transaction():
        (row,) = await database.run("SELECT pg_backend_pid() AS own")
        other = await asyncpg.connect(read(DatabaseSettings).url.reveal())
        await other.execute(f"SELECT pg_terminate_backend({row['own']}, 10000)")
        await other.close()
        await database.run("SELECT 1")


async def count(job: JobRun, steps: int) -> None:
    for step in range(steps):
        job.progress.update(step + 1, steps, f"Step {step + 1}")
        await asyncio.sleep(0.001)


async def tick() -> None:
    note("tick", "begun")
    await asyncio.sleep(0.3)
    note("tick", "ended")


async def main() -> None:
    logs.configure(read(LogSettings))
    settings = read(WorkerSettings)
    if "hasty" in sys.argv:
        settings = msgspec.structs.replace(
            settings, heartbeat_seconds=0.2, stalled_seconds=2.0, poll_seconds=0.2, grace_seconds=0.2
        )
    worker = Worker(settings)
    worker.add(HOLD, hold)
    worker.add(DIE, die)
    worker.add(DIE_ONCE, die_once)
    worker.add(FAIL, fail)
    worker.add(REFUSE, refuse)
    worker.add(LOSE_STORE, lose_store)
    worker.add(LOSE_DATABASE, lose_database)
    worker.add(COUNT, count)
    worker.every(1.0, "tick", tick)
    async with database.pool(read(DatabaseSettings)):
        await worker.run()


if __name__ == "__main__":
    asyncio.run(main())

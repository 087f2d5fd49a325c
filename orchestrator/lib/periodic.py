"""Periodic work of a process."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from orchestrator.lib.database import is_outage
from orchestrator.lib.object_store import StoreFailed


async def run_periodically(
    work: Callable[[], Awaitable[object]],
    *,
    pause: float | Callable[[], float],
    complaint: str,
    log: structlog.stdlib.BoundLogger,
) -> None:
    """Runs ``work`` again and again until cancelled, with ``pause`` seconds between two runs, which it may choose.

    A failed run is logged as ``complaint``; with a traceback unless the database or the store is away.
    """
    while True:
        try:
            await work()
        except Exception as error:  # a failed run must not end the task
            if is_outage(error) or isinstance(error, StoreFailed):
                log.warning(complaint, error=repr(error.__cause__ or error))
            else:
                log.exception(complaint)
        await asyncio.sleep(pause() if callable(pause) else pause)

"""Work that is done again and again for as long as a process serves."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from orchestrator.lib.database import is_outage
from orchestrator.lib.store import StoreFailed


async def run_periodically(
    work: Callable[[], Awaitable[object]], *, pause: float, complaint: str, log: structlog.stdlib.BoundLogger
) -> None:
    """Until it is cancelled. ``pause``: seconds between two rounds. ``complaint``: what is logged of one that fails.

    That the database or the store is away is no fault of the work, and told without a traceback.
    """
    while True:
        try:
            await work()
        except Exception as error:  # the task must outlive whatever one round brings
            if is_outage(error) or isinstance(error, StoreFailed):
                log.warning(complaint, error=repr(error.__cause__ or error))
            else:
                log.exception(complaint)
        await asyncio.sleep(pause)

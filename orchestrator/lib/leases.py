"""Leases: rows in Postgres by which one process at a time makes a segment. The holder renews its leases.

A process that dies stops renewing; the next process that wants the segment takes the lease over.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

import structlog

from orchestrator.lib.backoff import backoff
from orchestrator.lib.database import is_outage, run
from orchestrator.lib.periodic import run_periodically

_LIFETIME: Final = 6.0  # seconds without renewal until a holder counts as dead
_RENEWAL: Final = 2.0  # seconds between renewals
_FIRST_POLL, _LONGEST_POLL = 0.02, 0.2  # seconds between attempts to take the lease of another

_ACQUIRE: Final = (
    "INSERT INTO lease (key, owner, expires_at)"
    " VALUES ({}, {}, now() + make_interval(secs => {}))"
    " ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at"
    " WHERE lease.expires_at < now() RETURNING owner"
)
_TAKE: Final = (
    "INSERT INTO lease (key, owner, expires_at)"
    " SELECT key, {}, now() + make_interval(secs => {}) FROM unnest({}::text[]) AS key ORDER BY key"
    " ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at"
    " WHERE lease.expires_at < now() RETURNING key"
)
_RENEW: Final = "UPDATE lease SET expires_at = now() + make_interval(secs => {}) WHERE owner = {}"
_RELEASE: Final = "DELETE FROM lease WHERE key = ANY({}::text[]) AND owner = {}"

log = structlog.stdlib.get_logger("lectern.leases")


class Leases:
    def __init__(self) -> None:
        self._owner = uuid4()
        self._held = 0

    @asynccontextmanager
    async def hold(self, key: str, *, on_wait: Callable[[], object] = lambda: None) -> AsyncIterator[bool]:
        """Waits until this process has the lease. Yields whether another process had it before.

        While the database is away, there are no leases, and nobody waits.
        """
        try:
            contended = await self._acquire(key, on_wait)
        except Exception as error:
            if not is_outage(error):
                raise
            # That two processes may make the same is better than that nobody hears it.
            log.warning("made without a lease", key=key, error=repr(error))
            yield False
            return
        async with self._holding([key]):
            yield contended

    async def _acquire(self, key: str, on_wait: Callable[[], object]) -> bool:
        """Returns whether another process had the lease."""
        contended = False
        pauses = backoff(_FIRST_POLL, _LONGEST_POLL)
        while not await run(_ACQUIRE, key, self._owner, _LIFETIME):
            if not contended:
                contended = True
                on_wait()
            await asyncio.sleep(next(pauses))
        return contended

    @asynccontextmanager
    async def take(self, keys: Sequence[str]) -> AsyncIterator[list[str]]:
        """Takes the leases that nobody holds, without a wait, and yields their keys."""
        taken = [str(row["key"]) for row in await run(_TAKE, self._owner, _LIFETIME, list(keys))]
        async with self._holding(taken):
            yield taken

    @asynccontextmanager
    async def _holding(self, keys: list[str]) -> AsyncIterator[None]:
        self._held += len(keys)
        try:
            yield
        finally:
            self._held -= len(keys)
            if keys:
                await asyncio.shield(self._release(keys))

    async def _release(self, keys: list[str]) -> None:
        try:
            await run(_RELEASE, keys, self._owner)
        except Exception as error:
            if not is_outage(error):
                raise
            # The lease expires by itself; until then other processes wait.
            log.warning("lease not released", error=str(error))

    async def keep_renewing(self) -> None:
        """Renews the leases of this process until cancelled."""
        await run_periodically(self._renew, pause=_RENEWAL, complaint="leases not renewed", log=log)

    async def _renew(self) -> None:
        if self._held:
            await run(_RENEW, _LIFETIME, self._owner)

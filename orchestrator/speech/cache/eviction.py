"""Deletes the kept audio that was not used for longest, so that the store stays within its budget.

A segment goes in steps that may stop after any of them: its row is marked, its account of itself is deleted (from then
on it reads as not kept), then its audio, then the row. The lease on its key is held meanwhile, the one that whoever
makes a segment holds, so that nobody writes what is being deleted. Who was reading has the bytes already or finds
nothing and has the segment made anew.
"""
# ruff: noqa: S608 - the statements are put together of constants

from typing import Any, Final

import msgspec
import structlog

from orchestrator.lib import metrics
from orchestrator.lib.database import run
from orchestrator.lib.leases import Leases
from orchestrator.lib.store import Store
from orchestrator.speech.cache.paths import ABOUT, path_of
from orchestrator.speech.settings import CacheSettings

_BATCH: Final = 200  # segments
_ENOUGH: Final = 0.9  # of the budget, so that not every new segment evicts another

_TOTAL: Final = "SELECT coalesce(sum(bytes), 0)::bigint AS bytes FROM cached_segment"
_FREE: Final = (
    "NOT EXISTS (SELECT FROM cache_pin WHERE cache_pin.segment_key = cached_segment.segment_key"
    " AND (expires_at IS NULL OR expires_at > now()))"
)
_UNUSED: Final = f"last_used < now() - make_interval(secs => {{}}) AND {_FREE}"
_LEFT_OVER: Final = "SELECT segment_key, bytes FROM cached_segment WHERE evicting LIMIT {}"
_OLDEST: Final = f"SELECT segment_key, bytes FROM cached_segment WHERE {_UNUSED} ORDER BY last_used LIMIT {{}}"
# Looks again at what may have changed since it was found. A row that somebody else has locked is being used.
_MARK: Final = (
    "WITH going AS (SELECT segment_key FROM cached_segment WHERE segment_key = ANY({}::text[])"
    f" AND (evicting OR {_UNUSED}) ORDER BY segment_key FOR UPDATE SKIP LOCKED)"
    " UPDATE cached_segment SET evicting = true FROM going WHERE cached_segment.segment_key = going.segment_key"
    " RETURNING cached_segment.segment_key, sizes"
)
# Only what is still marked: one that was made anew, after our lease had run out, is kept.
_FORGET: Final = "DELETE FROM cached_segment WHERE segment_key = ANY({}::text[]) AND evicting RETURNING bytes"
_EXPIRED: Final = "DELETE FROM cache_pin WHERE expires_at < now()"

log = structlog.stdlib.get_logger("lectern.kept")


async def total_bytes() -> int:
    return int((await run(_TOTAL))[0]["bytes"])


class Eviction:
    def __init__(self, store: Store, leases: Leases, settings: CacheSettings) -> None:
        self._store = store
        self._leases = leases
        self._settings = settings

    async def run(self) -> None:
        """Finishes what a process that died began, then frees what is over the budget. Raises `StoreFailed`."""
        await run(_EXPIRED)
        while left_over := await run(_LEFT_OVER, _BATCH):
            if not await self._evict(left_over):
                break  # somebody makes them anew
        kept = await total_bytes()
        metrics.CACHE_BYTES.set(kept)
        budget = self._settings.budget_bytes
        if budget and kept > budget:
            await self._free(kept - int(budget * _ENOUGH))
            metrics.CACHE_BYTES.set(await total_bytes())

    async def _free(self, excess: int) -> None:
        while excess > 0:
            oldest = await run(_OLDEST, self._settings.grace_seconds, _BATCH)
            freed = await self._evict(_first(oldest, excess))
            if not freed:
                log.warning("kept audio exceeds its budget, and what is left is pinned or in use", excess=excess)
                return
            excess -= sum(freed)

    async def _evict(self, rows: list[dict[str, Any]]) -> list[int]:
        """Returns the bytes of each segment that is gone."""
        async with self._leases.take([str(row["segment_key"]) for row in rows]) as taken:
            marked = await run(_MARK, taken, self._settings.grace_seconds)
            going = {str(row["segment_key"]): msgspec.json.decode(row["sizes"]) for row in marked}
            await self._store.delete([path_of(key, ABOUT) for key in going])
            await self._store.delete(
                [path_of(key, suffix) for key, sizes in going.items() for suffix in sizes if suffix != ABOUT]
            )
            forgotten = await run(_FORGET, list(going))
        freed = [int(row["bytes"]) for row in forgotten]
        metrics.SEGMENTS_EVICTED.inc(len(freed))
        metrics.BYTES_EVICTED.inc(sum(freed))
        return freed


def _first(rows: list[dict[str, Any]], wanted: int) -> list[dict[str, Any]]:
    """No more of them than it takes to free so many bytes."""
    chosen, together = [], 0
    for row in rows:
        if together >= wanted:
            break
        chosen.append(row)
        together += int(row["bytes"])
    return chosen

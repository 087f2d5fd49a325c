"""Evicts the least recently used audio, so that the cache stays within its budget.

A segment is evicted in steps, and may stop after any of them: its row is marked, its file is deleted (from then on it
is not cached), then its encodings, then the row. Eviction holds the lease that a synthesis of the segment needs, so
that nothing is written while it is deleted. A reader has the bytes already, or finds nothing and has the segment made
anew.
"""
# ruff: noqa: S608 - the statements consist of constants

from typing import Any, Final

import msgspec
import structlog

from orchestrator.lib import metrics
from orchestrator.lib.database import run
from orchestrator.lib.leases import Leases
from orchestrator.lib.object_store import Store
from orchestrator.speech.cache.names import ORIGINAL, path_of
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
# Checks again what may have changed since. A row that is locked by others is in use.
_MARK: Final = (
    "WITH going AS (SELECT segment_key FROM cached_segment WHERE segment_key = ANY({}::text[])"
    f" AND (evicting OR {_UNUSED}) ORDER BY segment_key FOR UPDATE SKIP LOCKED)"
    " UPDATE cached_segment SET evicting = true FROM going WHERE cached_segment.segment_key = going.segment_key"
    " RETURNING cached_segment.segment_key, sizes"
)
# Only if still marked: the lease may have run out, and the segment been made anew.
_FORGET: Final = "DELETE FROM cached_segment WHERE segment_key = ANY({}::text[]) AND evicting RETURNING bytes"
_EXPIRED: Final = "DELETE FROM cache_pin WHERE expires_at < now()"

log = structlog.stdlib.get_logger("lectern.cache")


async def total_bytes() -> int:
    return int((await run(_TOTAL))[0]["bytes"])


async def show_size() -> None:
    """Sets the metric."""
    metrics.CACHE_BYTES.set(await total_bytes())


class Eviction:
    def __init__(self, store: Store, leases: Leases, settings: CacheSettings) -> None:
        self._store = store
        self._leases = leases
        self._settings = settings

    async def run(self) -> None:
        """Finishes what a process that died began, then evicts what exceeds the budget. Raises `StoreFailed`."""
        await run(_EXPIRED)
        while left_over := await run(_LEFT_OVER, _BATCH):
            if not await self._evict(left_over):
                break  # they are being made anew
        cached = await total_bytes()
        budget = self._settings.budget_bytes
        if budget and cached > budget:
            await self._free(cached - int(budget * _ENOUGH))

    async def _free(self, excess: int) -> None:
        while excess > 0:
            oldest = await run(_OLDEST, self._settings.grace_seconds, _BATCH)
            freed = await self._evict(_first(oldest, excess))
            if not freed:
                log.warning("the cache exceeds its budget, and what is left is pinned or in use", excess=excess)
                return
            excess -= sum(freed)

    async def _evict(self, rows: list[dict[str, Any]]) -> list[int]:
        """Returns the bytes of each evicted segment."""
        async with self._leases.take([str(row["segment_key"]) for row in rows]) as taken:
            marked = await run(_MARK, taken, self._settings.grace_seconds)
            going = {str(row["segment_key"]): msgspec.json.decode(row["sizes"]) for row in marked}
            await self._store.delete([path_of(key, ORIGINAL) for key in going])
            await self._store.delete(
                [path_of(key, suffix) for key, sizes in going.items() for suffix in sizes if suffix != ORIGINAL]
            )
            forgotten = await run(_FORGET, list(going))
        freed = [int(row["bytes"]) for row in forgotten]
        metrics.SEGMENTS_EVICTED.inc(len(freed))
        metrics.BYTES_EVICTED.inc(sum(freed))
        return freed


def _first(rows: list[dict[str, Any]], wanted: int) -> list[dict[str, Any]]:
    """Returns the first rows that together free so many bytes."""
    chosen, together = [], 0
    for row in rows:
        if together >= wanted:
            break
        chosen.append(row)
        together += int(row["bytes"])
    return chosen

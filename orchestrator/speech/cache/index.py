"""The cache's index: the size and the length of each cached segment and the time of its last use, in one row.

Uses are collected in the process and written every few seconds, so that sending cached audio needs no query.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import structlog

from orchestrator.lib.database import is_outage, run
from orchestrator.lib.periodic import run_periodically

_FLUSH_SECONDS: Final = 2.0
_MOST_NOTES: Final = 100_000  # while the database is away

_LOOKUP: Final = (
    "SELECT segment_key, samples, sample_rate FROM cached_segment"
    " WHERE segment_key = ANY({}::text[]) AND samples IS NOT NULL AND NOT evicting"
)
_RECORD: Final = (
    "INSERT INTO cached_segment (segment_key, sizes, bytes, samples, sample_rate, last_used, evicting)"
    " VALUES ({}, {}::jsonb, {}, {}, {}, now(), false)"
    " ON CONFLICT (segment_key) DO UPDATE SET sizes = cached_segment.sizes || excluded.sizes, bytes ="
    " (SELECT sum(value::bigint) FROM jsonb_each_text(cached_segment.sizes || excluded.sizes)),"
    " samples = coalesce(excluded.samples, cached_segment.samples),"
    " sample_rate = coalesce(excluded.sample_rate, cached_segment.sample_rate), last_used = now(), evicting = false"
)
_MADE: Final = f"{_RECORD} RETURNING segment_key"
_ADDED: Final = f"{_RECORD} WHERE NOT cached_segment.evicting RETURNING segment_key"
_HOLD: Final = (
    "UPDATE cached_segment SET last_used = now() WHERE segment_key = {} AND NOT evicting RETURNING segment_key"
)
_FORGET: Final = "DELETE FROM cached_segment WHERE segment_key = {}"
_FORGET_REMNANT: Final = "DELETE FROM cached_segment WHERE segment_key = {} AND NOT sizes ? {}"
# Rows are locked in one order, whichever process flushes, so that two never wait for each other.
_FLUSH: Final = (
    "WITH used AS (SELECT segment_key, read.samples, read.sample_rate FROM cached_segment"
    " JOIN unnest({}::text[], {}::bigint[], {}::int[]) AS read(key, samples, sample_rate) ON segment_key = key"
    " ORDER BY segment_key FOR NO KEY UPDATE OF cached_segment)"
    " UPDATE cached_segment SET last_used = now(), samples = coalesce(used.samples, cached_segment.samples),"
    " sample_rate = coalesce(used.sample_rate, cached_segment.sample_rate)"
    " FROM used WHERE cached_segment.segment_key = used.segment_key"
)

log = structlog.stdlib.get_logger("lectern.cache")


class Length(NamedTuple):
    """The length of a segment's audio; the rate is in Hz."""

    samples: int
    sample_rate: int

    @property
    def seconds(self) -> float:
        return self.samples / self.sample_rate


class CacheIndex:
    def __init__(self) -> None:
        self._used: dict[str, Length | None] = {}
        self._held: dict[str, float] = {}

    def note(self, key: str, length: Length | None = None) -> None:
        """Notes that the segment is being used now, and how long it is if it was read. Costs nothing but memory."""
        if len(self._used) < _MOST_NOTES:
            self._used[key] = length or self._used.get(key)

    async def lookup(self, keys: Sequence[str]) -> dict[str, Length]:
        """Returns the lengths of the segments that are cached. Raises what the database does."""
        rows = await run(_LOOKUP, list(keys))
        return {row["segment_key"]: Length(row["samples"], row["sample_rate"]) for row in rows}

    async def made(self, key: str, sizes: Mapping[str, int], length: Length) -> None:
        """Indexes objects, by suffix and bytes, that the holder of the segment's lease wrote."""
        await self._record(_MADE, key, sizes, length)

    async def add(self, key: str, sizes: Mapping[str, int]) -> bool:
        """Indexes objects that are about to be written. False: the segment is being evicted, or the database is away.

        True also means that the segment, as one just used, will not be evicted now.
        """
        return await self._record(_ADDED, key, sizes)

    async def forget_remnant(self, key: str, essential: str) -> None:
        """Undoes an `add` to a segment that was deleted just before: without its essential object there is none."""
        await run(_FORGET_REMNANT, key, essential)

    async def forget(self, key: str) -> None:
        """Removes a segment that the holder of its lease has deleted."""
        try:
            await run(_FORGET, key)
        except Exception as error:
            if not is_outage(error):
                raise
            # The next reconciliation finds that it is gone.
            log.warning("deleted audio is still indexed", segment=key, error=str(error))

    async def hold(self, key: str, *, again_after: float) -> bool:
        """Returns whether the segment is indexed and, as one just used, will not be evicted now.

        Asks the database only if this process has not done so within the last ``again_after`` seconds.
        """
        now = time.monotonic()
        if now - self._held.get(key, -again_after) < again_after:
            self.note(key)
            return True
        try:
            held = bool(await run(_HOLD, key))
        except Exception as error:
            if not is_outage(error):
                raise
            return False
        if len(self._held) >= _MOST_NOTES:
            self._held = {one: since for one, since in self._held.items() if now - since < again_after}
        if held:
            self._held[key] = now
        return held

    async def keep_flushing(self) -> None:
        """Runs until it is cancelled, and writes the rest then."""
        complaint = "uses of cached audio not written"
        try:
            await run_periodically(self.flush, pause=_FLUSH_SECONDS, complaint=complaint, log=log)
        finally:
            await asyncio.shield(self.flush())

    async def flush(self) -> None:
        used, self._used = self._used, {}
        if not used:
            return
        try:
            samples, rates = zip(*(length or (None, None) for length in used.values()), strict=True)
            await run(_FLUSH, list(used), list(samples), list(rates))
        except Exception:
            self._used = {**used, **self._used}  # for the next flush
            raise

    async def _record(self, statement: str, key: str, sizes: Mapping[str, int], length: Length | None = None) -> bool:
        encoded, (samples, rate) = msgspec.json.encode(sizes).decode(), length or (None, None)
        try:
            return bool(await run(statement, key, encoded, sum(sizes.values()), samples, rate))
        except Exception as error:
            if not is_outage(error):
                raise
            # It is found by the next listing of the store.
            log.warning("cached audio not indexed", segment=key, error=str(error))
            return False

"""The cache's index: each cached segment's objects, with sizes and checksums, its length, and the time of its last use.

The store is the truth of what is there, and the index of what was written. Uses are collected in the process and
written every few seconds, so that sending cached audio needs no query.
"""

import asyncio
import time
import zlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Self

import msgspec
import structlog

from orchestrator.lib.database import is_outage, run
from orchestrator.lib.periodic import run_periodically
from orchestrator.speech.cache.names import ORIGINAL
from orchestrator.speech.cache.segment_file import Length

_FLUSH_SECONDS: Final = 2.0
_MOST_NOTES: Final = 100_000  # while the database is away
_MOST_REMEMBERED: Final = 10_000  # segments whose checksums this process remembers
_CLOCK_SLACK: Final = 1.0  # seconds within which a row may be newer than what a reader saw

_LOOKUP: Final = (
    "SELECT segment_key, samples, sample_rate FROM cached_segment"
    " WHERE segment_key = ANY({}::text[]) AND samples IS NOT NULL AND NOT evicting"
)
_ROW: Final = (
    "SELECT sizes, checksums, samples, sample_rate FROM cached_segment WHERE segment_key = {} AND NOT evicting"
)
# Tells the sizes of what was there before: it belongs to another synthesis.
_MADE: Final = (
    "WITH before AS (SELECT sizes FROM cached_segment WHERE segment_key = {})"
    " INSERT INTO cached_segment (segment_key, sizes, checksums, bytes, samples, sample_rate, last_used, evicting)"
    " VALUES ({}, {}::jsonb, {}::jsonb, {}, {}, {}, now(), false)"
    " ON CONFLICT (segment_key) DO UPDATE SET sizes = excluded.sizes, checksums = excluded.checksums,"
    " bytes = excluded.bytes, samples = excluded.samples, sample_rate = excluded.sample_rate,"
    " last_used = now(), evicting = false"
    " RETURNING (SELECT sizes FROM before) AS before"
)
_ADDED: Final = (
    "INSERT INTO cached_segment (segment_key, sizes, checksums, bytes, last_used, evicting)"
    " VALUES ({}, {}::jsonb, {}::jsonb, {}, now(), false)"
    " ON CONFLICT (segment_key) DO UPDATE SET sizes = cached_segment.sizes || excluded.sizes,"
    " checksums = cached_segment.checksums || excluded.checksums, bytes ="
    " (SELECT sum(value::bigint) FROM jsonb_each_text(cached_segment.sizes || excluded.sizes)), last_used = now()"
    " WHERE NOT cached_segment.evicting RETURNING segment_key"
)
_HOLD: Final = (
    "UPDATE cached_segment SET last_used = now() WHERE segment_key = {} AND NOT evicting"
    " RETURNING sizes, checksums, samples, sample_rate"
)
_FORGET: Final = "DELETE FROM cached_segment WHERE segment_key = {} RETURNING sizes"
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
# A row that was used or written since may know better.
_DROP_MISSING: Final = (
    "WITH gone AS (SELECT segment_key FROM cached_segment"
    " JOIN unnest({}::text[], {}::float8[]) AS missing(key, age) ON segment_key = key"
    " WHERE NOT evicting AND last_used < now() - make_interval(secs => age)"
    " ORDER BY segment_key FOR UPDATE OF cached_segment SKIP LOCKED)"
    " DELETE FROM cached_segment USING gone WHERE cached_segment.segment_key = gone.segment_key"
)

log = structlog.stdlib.get_logger("lectern.cache")


class Checksum(NamedTuple):
    """Tells an object that a crash or a bad disk has changed from a whole one."""

    size: int  # in bytes
    crc32: int

    @classmethod
    def of(cls, data: bytes) -> Self:
        return cls(len(data), zlib.crc32(data))


class _Row(NamedTuple):
    """What this process remembers of a segment."""

    checksums: dict[str, Checksum]  # by suffix
    length: Length | None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        sizes, crcs = (msgspec.json.decode(row[name]) for name in ("sizes", "checksums"))
        checksums = {suffix: Checksum(sizes[suffix], crc32) for suffix, crc32 in crcs.items() if suffix in sizes}
        return cls(checksums, None if row["samples"] is None else Length(row["samples"], row["sample_rate"]))


class CacheIndex:
    def __init__(self) -> None:
        self._used: dict[str, Length | None] = {}
        self._missing: dict[str, float] = {}
        self._held: dict[str, float] = {}
        self._remembered: dict[str, _Row] = {}

    def note(self, key: str, length: Length | None = None) -> None:
        """Notes that the segment is being used now, and how long it is if it was read. Costs nothing but memory."""
        if len(self._used) < _MOST_NOTES:
            self._used[key] = length or self._used.get(key)

    def note_missing(self, key: str, *, since: float) -> None:
        """Notes that the store had no such segment ``since`` a moment by the monotonic clock: its row is wrong."""
        if len(self._missing) < _MOST_NOTES:
            self._missing[key] = since

    async def lookup(self, keys: Sequence[str]) -> dict[str, Length]:
        """Returns the lengths of the segments that are cached. Raises what the database does."""
        rows = await run(_LOOKUP, list(keys))
        return {row["segment_key"]: Length(row["samples"], row["sample_rate"]) for row in rows}

    def remembered_length(self, key: str) -> Length | None:
        """Returns the length of a segment of which this process has sent or written an object."""
        row = self._remembered.get(key)
        return None if row is None else row.length

    async def vouches(self, key: str, suffix: str, checksum: Checksum) -> bool:
        """Returns whether this is what was written. Asks the database only if this process remembers it otherwise."""
        return self._checksum(key, suffix) == checksum or await self._asked_checksum(key, suffix) == checksum

    async def vouches_for_size(self, key: str, suffix: str, size: int) -> bool:
        """Returns whether what was written had so many bytes; for objects that another server sends."""
        remembered = self._checksum(key, suffix)
        if remembered is not None and remembered.size == size:
            return True
        asked = await self._asked_checksum(key, suffix)
        return asked is not None and asked.size == size

    async def made(self, key: str, checksum: Checksum, length: Length) -> set[str]:
        """Indexes a segment's file, which the holder of its lease wrote.

        Returns the suffixes of encodings that were made from an earlier file.
        """
        sizes, checksums = _encoded(ORIGINAL, checksum)
        try:
            rows = await run(_MADE, key, key, sizes, checksums, checksum.size, length.samples, length.sample_rate)
        except Exception as error:
            if not is_outage(error):
                raise
            # It is found by the next listing of the store.
            log.warning("cached audio not indexed", segment=key, error=str(error))
            return set()
        self._remember(key, _Row({ORIGINAL: checksum}, length))
        before = rows[0]["before"]
        return set(msgspec.json.decode(before or "{}")) - {ORIGINAL}

    async def add(self, key: str, suffix: str, checksum: Checksum) -> bool:
        """Indexes an object that is about to be written. False: the segment is being evicted, or the database is away.

        True also means that the segment, as one just used, will not be evicted now.
        """
        try:
            added = bool(await run(_ADDED, key, *_encoded(suffix, checksum), checksum.size))
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("cached audio not indexed", segment=key, error=str(error))
            return False
        if added:
            row = self._remembered.get(key, _Row({}, None))
            self._remember(key, _Row({**row.checksums, suffix: checksum}, row.length))
        return added

    async def forget_remnant(self, key: str, essential: str) -> None:
        """Undoes an `add` to a segment that was deleted just before: without its essential object there is none."""
        self._remembered.pop(key, None)
        await run(_FORGET_REMNANT, key, essential)

    async def forget(self, key: str) -> set[str]:
        """Removes a segment that the holder of its lease is about to delete; returns the suffixes of its objects."""
        self._remembered.pop(key, None)
        try:
            rows = await run(_FORGET, key)
        except Exception as error:
            if not is_outage(error):
                raise
            # The next reconciliation finds that it is gone.
            log.warning("deleted audio is still indexed", segment=key, error=str(error))
            return set()
        return {suffix for row in rows for suffix in msgspec.json.decode(row["sizes"])}

    async def hold(self, key: str, *, again_after: float) -> bool:
        """Returns whether the segment is indexed and, as one just used, will not be evicted now.

        Asks the database only if this process has not done so within the last ``again_after`` seconds.
        """
        now = time.monotonic()
        if now - self._held.get(key, -again_after) < again_after:
            self.note(key)
            return True
        try:
            rows = await run(_HOLD, key)
        except Exception as error:
            if not is_outage(error):
                raise
            return False
        if len(self._held) >= _MOST_NOTES:
            self._held = {one: since for one, since in self._held.items() if now - since < again_after}
        if rows:
            self._held[key] = now
            self._remember(key, _Row.of(rows[0]))
        return bool(rows)

    async def keep_flushing(self) -> None:
        """Runs until it is cancelled, and writes the rest then."""
        complaint = "uses of cached audio not written"
        try:
            await run_periodically(self.flush, pause=_FLUSH_SECONDS, complaint=complaint, log=log)
        finally:
            await asyncio.shield(self.flush())

    async def flush(self) -> None:
        used, self._used = self._used, {}
        missing, self._missing = self._missing, {}
        try:
            if missing:  # first, as it drops no row that was used since
                now = time.monotonic()
                await run(_DROP_MISSING, list(missing), [now - since + _CLOCK_SLACK for since in missing.values()])
            if used:
                samples, rates = zip(*(length or (None, None) for length in used.values()), strict=True)
                await run(_FLUSH, list(used), list(samples), list(rates))
        except Exception:
            # For the next flush.
            self._used = {**used, **self._used}
            self._missing = {**missing, **self._missing}
            raise

    def _checksum(self, key: str, suffix: str) -> Checksum | None:
        row = self._remembered.get(key)
        return None if row is None else row.checksums.get(suffix)

    async def _asked_checksum(self, key: str, suffix: str) -> Checksum | None:
        """Returns None also while the database is away."""
        try:
            rows = await run(_ROW, key)
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("checksum of cached audio not read", segment=key, error=str(error))
            return None
        if not rows:
            return None
        self._remember(key, _Row.of(rows[0]))
        return self._checksum(key, suffix)

    def _remember(self, key: str, row: _Row) -> None:
        self._remembered.pop(key, None)
        if len(self._remembered) >= _MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[key] = row


def _encoded(suffix: str, checksum: Checksum) -> tuple[str, str]:
    """Returns sizes and checksums as the table has them: JSON, by suffix."""
    return f'{{"{suffix}": {checksum.size}}}', f'{{"{suffix}": {checksum.crc32}}}'

"""Brings the cache's index into line with the store, a folder at a time.

A store may be older than the database, a process may die between writing audio and indexing it, and somebody may
delete files by hand. A worker goes through the whole store when it starts, and then one of all workers every few hours.
"""
# ruff: noqa: S608 - the statements consist of constants

import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec
import structlog

from orchestrator.lib.database import run
from orchestrator.lib.object_store import Store, Stored
from orchestrator.speech.cache.audio_cache import lengths_in_store
from orchestrator.speech.cache.names import FOLDER, ORIGINAL, parse_path
from orchestrator.speech.settings import CacheSettings

_FOLDERS: Final = 256
_ROWS_PER_STATEMENT: Final = 1_000

# A row that was used since the listing may know better: an object is indexed just before or after it is written, and
# both count as a use.
_ADD: Final = (
    "INSERT INTO cached_segment (segment_key, sizes, bytes, last_used, evicting)"
    " SELECT key, sizes, bytes, least(written_at, now()), false"
    " FROM unnest({}::text[], {}::jsonb[], {}::bigint[], {}::timestamptz[]) AS listed(key, sizes, bytes, written_at)"
    " ORDER BY key"
    " ON CONFLICT (segment_key) DO UPDATE SET sizes = excluded.sizes, bytes = excluded.bytes,"
    # Another size is another synthesis, whose length is to be read.
    f" samples = CASE WHEN cached_segment.sizes->'{ORIGINAL}' = excluded.sizes->'{ORIGINAL}'"
    " THEN cached_segment.samples END"
    " WHERE cached_segment.sizes <> excluded.sizes AND NOT cached_segment.evicting"
    " AND cached_segment.last_used < now() - make_interval(secs => {})"
    " RETURNING segment_key"
)
_DROP: Final = (
    "WITH gone AS (SELECT segment_key FROM cached_segment WHERE segment_key >= {} AND segment_key < {} AND NOT evicting"
    " AND NOT EXISTS (SELECT FROM unnest({}::text[]) AS listed WHERE listed = segment_key)"
    " AND last_used < now() - make_interval(secs => {}) FOR UPDATE SKIP LOCKED)"
    " DELETE FROM cached_segment USING gone WHERE cached_segment.segment_key = gone.segment_key"
)
_WITHOUT_LENGTH: Final = (
    "SELECT segment_key FROM cached_segment WHERE segment_key >= {} AND segment_key < {} AND samples IS NULL"
    " AND NOT evicting"
)
_FILL: Final = (
    "UPDATE cached_segment SET samples = read.samples, sample_rate = read.sample_rate"
    " FROM unnest({}::text[], {}::bigint[], {}::int[]) AS read(key, samples, sample_rate)"
    " WHERE segment_key = key AND cached_segment.samples IS NULL"
)

log = structlog.stdlib.get_logger("lectern.cache")


class Reconciliation:
    def __init__(self, store: Store, settings: CacheSettings) -> None:
        self._store = store
        self._settings = settings

    async def run(self) -> None:
        """Compares every folder of the cache. Raises `StoreFailed`."""
        for number in range(_FOLDERS):
            await self._compare(number)

    async def _compare(self, number: int) -> None:
        folder = f"{number:02x}"
        behind = f"{number + 1:02x}" if number + 1 < _FOLDERS else "g"
        began = time.monotonic()
        listed = await self._store.list(f"{FOLDER}/{folder}")
        segments = _segments(listed)
        # An object that was written while the listing ran must not count as gone or changed.
        settled = self._settings.grace_seconds + time.monotonic() - began
        added = 0
        for start in range(0, len(segments), _ROWS_PER_STATEMENT):
            added += len(await run(_ADD, *_columns(segments[start : start + _ROWS_PER_STATEMENT]), settled))
        await run(_DROP, folder, behind, [key for key, _, _ in segments], settled)
        if added:
            log.info("cached audio indexed", folder=folder, segments=added)
        await self._fill(folder, behind)

    async def _fill(self, folder: str, behind: str) -> None:
        """Reads the lengths that no listing tells."""
        keys = [str(row["segment_key"]) for row in await run(_WITHOUT_LENGTH, folder, behind)]
        lengths = await lengths_in_store(self._store, keys)
        for start in range(0, len(lengths), _ROWS_PER_STATEMENT):
            some = list(lengths.items())[start : start + _ROWS_PER_STATEMENT]
            samples, rates = [length.samples for _, length in some], [length.sample_rate for _, length in some]
            await run(_FILL, [key for key, _ in some], samples, rates)


def _segments(listed: Iterable[Stored]) -> list[tuple[str, dict[str, int], datetime]]:
    """Returns each key with the sizes of its objects by suffix, and the time of the last write."""
    found: dict[str, tuple[dict[str, int], datetime]] = {}
    for stored in listed:
        if (parsed := parse_path(stored.path)) is not None:
            key, suffix = parsed
            sizes, written_at = found.get(key, ({}, stored.written_at))
            found[key] = ({**sizes, suffix: stored.size}, max(written_at, stored.written_at))
    return [(key, *of_key) for key, of_key in found.items()]


def _columns(segments: list[tuple[str, dict[str, int], datetime]]) -> tuple[list[Any], ...]:
    keys, sizes, written_at = zip(*segments, strict=True)
    encoded = [msgspec.json.encode(one).decode() for one in sizes]
    return list(keys), encoded, [sum(one.values()) for one in sizes], list(written_at)

"""What is known of kept audio: how large it is and when it was last used, in one row for each segment.

That a listener used a segment is remembered in the process and written down every few seconds, so that sending kept
audio asks the database nothing.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

import msgspec
import structlog

from orchestrator.lib.database import is_outage, run

_FLUSH_SECONDS: Final = 2.0
_MOST_NOTES: Final = 100_000  # while the database is away; then the oldest are as good as any other

_RECORD: Final = (
    "INSERT INTO cached_segment (segment_key, sizes, bytes, last_used, evicting)"
    " VALUES ({}, {}::jsonb, {}, now(), false)"
    " ON CONFLICT (segment_key) DO UPDATE SET sizes = cached_segment.sizes || excluded.sizes, bytes ="
    " (SELECT sum(value::bigint) FROM jsonb_each_text(cached_segment.sizes || excluded.sizes)),"
    " last_used = now(), evicting = false"
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
    "WITH used AS (SELECT segment_key FROM cached_segment WHERE segment_key = ANY({}::text[])"
    " ORDER BY segment_key FOR NO KEY UPDATE)"
    " UPDATE cached_segment SET last_used = now() FROM used WHERE cached_segment.segment_key = used.segment_key"
)

log = structlog.stdlib.get_logger("lectern.kept")


class CacheIndex:
    def __init__(self) -> None:
        self._used: dict[str, None] = {}
        self._held: dict[str, float] = {}

    def note(self, key: str) -> None:
        """It is being used now. Costs nothing but memory."""
        if len(self._used) < _MOST_NOTES:
            self._used[key] = None

    async def made(self, key: str, sizes: Mapping[str, int]) -> None:
        """These objects, suffix and bytes, were written by whoever holds the segment's lease."""
        await self._record(_MADE, key, sizes)

    async def add(self, key: str, sizes: Mapping[str, int]) -> bool:
        """Objects are about to be added to what is kept. False: the segment is going, or the database is away.

        True also says that the segment, as one just used, will not be evicted now.
        """
        return await self._record(_ADDED, key, sizes)

    async def forget_remnant(self, key: str, essential: str) -> None:
        """Undoes an `add` to a segment that was deleted just before: without its essential object there is none."""
        await run(_FORGET_REMNANT, key, essential)

    async def forget(self, key: str) -> None:
        """All of it was deleted by whoever holds the segment's lease."""
        try:
            await run(_FORGET, key)
        except Exception as error:
            if not is_outage(error):
                raise
            # The next listing of the store finds that it is gone.
            log.warning("kept audio not forgotten", segment=key, error=str(error))

    async def hold(self, key: str, *, again_after: float) -> bool:
        """Whether the segment is known and, as one just used, will not be evicted now.

        The database is asked only where this process has not done so within the last ``again_after`` seconds.
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
        """Runs for as long as the process may use audio, and writes down the rest when it is cancelled."""
        try:
            while True:
                await asyncio.sleep(_FLUSH_SECONDS)
                await self.flush()
        finally:
            await asyncio.shield(self.flush())

    async def flush(self) -> None:
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await run(_FLUSH, list(used))
        except Exception as error:  # the task must outlive whatever one flush brings
            if is_outage(error):
                log.warning("uses of kept audio not written down yet", error=str(error))
            else:
                log.exception("uses of kept audio not written down")
            self._used = {**used, **self._used}

    async def _record(self, statement: str, key: str, sizes: Mapping[str, int]) -> bool:
        try:
            return bool(await run(statement, key, msgspec.json.encode(sizes).decode(), sum(sizes.values())))
        except Exception as error:
            if not is_outage(error):
                raise
            # It is found by the next listing of the store.
            log.warning("kept audio not written down", segment=key, error=str(error))
            return False

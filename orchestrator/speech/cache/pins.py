"""Pins keep audio in the cache whatever its budget, until an owner takes them back or they expire."""

import time
from collections.abc import Sequence
from typing import Final

import structlog

from orchestrator.lib.database import is_outage, run

# A pinned row counts as just used, which settles the race with an eviction: one of the two locks the row first, and an
# eviction that comes second finds a segment in use.
_PIN: Final = (
    "WITH pinned AS (INSERT INTO cache_pin (id, segment_key, owner, expires_at)"
    " SELECT gen_random_uuid(), key, {}, now() + make_interval(secs => {}) FROM unnest({}::text[]) AS key ORDER BY key"
    " ON CONFLICT (segment_key, owner) DO UPDATE SET expires_at = excluded.expires_at),"
    " cached AS (SELECT segment_key FROM cached_segment WHERE segment_key = ANY({}::text[])"
    " ORDER BY segment_key FOR NO KEY UPDATE)"
    " UPDATE cached_segment SET last_used = now() FROM cached WHERE cached_segment.segment_key = cached.segment_key"
)
_UNPIN: Final = "DELETE FROM cache_pin WHERE owner = {}"
_PREVIEW: Final = "preview"
_PREVIEW_SECONDS: Final = 30 * 86_400.0  # a preview that nobody asks for any more expires, as when its model is gone
_RENEWAL_SECONDS: Final = 86_400.0

log = structlog.stdlib.get_logger("lectern.cache")


async def pin(keys: Sequence[str], owner: str, *, seconds: float) -> None:
    """Pins segments, which need not be made yet, for so many seconds. No owner can unpin what another has pinned."""
    distinct = list(set(keys))
    await run(_PIN, owner, seconds, distinct, distinct)


async def unpin(owner: str) -> None:
    """Takes back all that the owner has pinned."""
    await run(_UNPIN, owner)


class PreviewPins:
    """Pins the previews of voices, which may be asked for at any time."""

    def __init__(self) -> None:
        self._pinned: dict[tuple[str, str], float] = {}  # by owner and key

    async def pin(self, keys: Sequence[str], owner: str = _PREVIEW) -> None:
        """Renews each pin once a day. A preview is heard whether or not it could be pinned."""
        now = time.monotonic()
        self._pinned = {one: until for one, until in self._pinned.items() if until > now}
        new = [key for key in keys if (owner, key) not in self._pinned]
        if not new:
            return
        try:
            await pin(new, owner, seconds=_PREVIEW_SECONDS)
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("preview not pinned", error=str(error))
        else:
            self._pinned.update(dict.fromkeys([(owner, key) for key in new], now + _RENEWAL_SECONDS))

    async def forget(self, owner: str) -> None:
        """Takes back the owner's pins; without the database, they expire."""
        self._pinned = {one: until for one, until in self._pinned.items() if one[0] != owner}
        try:
            await unpin(owner)
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("preview not unpinned", error=str(error))

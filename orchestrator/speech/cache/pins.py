"""Kept audio that stays whatever the budget says, for as long as an owner wants it."""

import time
from collections.abc import Sequence
from typing import Final

import structlog

from orchestrator.lib.database import is_outage, run

# That a pinned row counts as just used settles the race with an eviction: one of the two has the row's lock first, and
# an eviction that comes second finds a segment in use.
_PIN: Final = (
    "WITH pinned AS (INSERT INTO cache_pin (id, segment_key, owner, expires_at)"
    " SELECT gen_random_uuid(), key, {}, now() + make_interval(secs => {}) FROM unnest({}::text[]) AS key ORDER BY key"
    " ON CONFLICT (segment_key, owner) DO UPDATE SET expires_at = excluded.expires_at),"
    " kept AS (SELECT segment_key FROM cached_segment WHERE segment_key = ANY({}::text[])"
    " ORDER BY segment_key FOR NO KEY UPDATE)"
    " UPDATE cached_segment SET last_used = now() FROM kept WHERE cached_segment.segment_key = kept.segment_key"
)
_UNPIN: Final = "DELETE FROM cache_pin WHERE owner = {}"
_UNPIN_SOME: Final = "DELETE FROM cache_pin WHERE owner = {} AND segment_key = ANY({}::text[])"
_PREVIEW: Final = "preview"
_PREVIEW_SECONDS: Final = 30 * 86_400.0  # a sample that nobody asks for any more, as its model is gone, goes as well
_RENEWAL_SECONDS: Final = 86_400.0

log = structlog.stdlib.get_logger("lectern.kept")


async def pin(keys: Sequence[str], owner: str, *, seconds: float | None = None) -> None:
    """Until `unpin`, or for so many seconds from now: whoever may crash should say how long, and pin again in time.

    The segments need not be made yet. What one owner pins another cannot unpin.
    """
    distinct = list(set(keys))
    await run(_PIN, owner, seconds, distinct, distinct)


async def unpin(owner: str, keys: Sequence[str] | None = None) -> None:
    """These, or all that the owner has pinned."""
    if keys is None:
        await run(_UNPIN, owner)
    else:
        await run(_UNPIN_SOME, owner, list(keys))


class PreviewPins:
    """The samples of voices, which may be asked for at any time."""

    def __init__(self) -> None:
        self._pinned: dict[tuple[str, str], float] = {}  # by owner and key

    async def pin(self, keys: Sequence[str], owner: str = _PREVIEW) -> None:
        """Once a day for each of them; a sample is heard whether or not it could be pinned."""
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
        """Nobody will ask for these again; without the database, they go when their time is over."""
        self._pinned = {one: until for one, until in self._pinned.items() if one[0] != owner}
        try:
            await unpin(owner)
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("preview not unpinned", error=str(error))

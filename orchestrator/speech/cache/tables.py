from piccolo.columns import JSONB, UUID, BigInt, Boolean, Text, Timestamptz
from piccolo.constraints import Unique
from piccolo.table import Table

from orchestrator.lib.ids import new_id


class CachedSegment(Table, tablename="cached_segment"):
    """What the store holds of one segment. The store is the truth; this follows it, so that nothing need be listed."""

    segment_key = Text(primary_key=True)
    sizes = JSONB()  # suffix -> bytes
    bytes = BigInt()  # their sum
    last_used = Timestamptz(index=True)
    evicting = Boolean(default=False)  # its objects are being deleted, or were when a process died


class CachePin(Table, tablename="cache_pin"):
    """Somebody's wish that a segment stays, also before it is made."""

    id = UUID(primary_key=True, default=new_id)
    segment_key = Text()
    owner = Text(index=True)  # such as "preview"
    expires_at = Timestamptz(null=True, default=None)

    uq_cache_pin_segment_owner = Unique([segment_key, owner])

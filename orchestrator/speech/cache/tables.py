from piccolo.columns import JSONB, UUID, BigInt, Boolean, Integer, Text, Timestamptz
from piccolo.constraints import Unique
from piccolo.table import Table

from orchestrator.lib.ids import new_id


class CachedSegment(Table, tablename="cached_segment"):
    """The objects of one segment in the store. The store is the truth; this follows it, to save listing the store."""

    segment_key = Text(primary_key=True)
    sizes = JSONB()  # suffix -> bytes
    checksums = JSONB()  # suffix -> CRC-32; nobody vouches for an object that has none here
    bytes = BigInt()  # their sum
    samples = BigInt(null=True, default=None)  # None: found by a listing, and not read yet
    sample_rate = Integer(null=True, default=None)  # Hz
    last_used = Timestamptz(index=True)
    evicting = Boolean(default=False)  # its objects are being deleted, or were when a process died


class CachePin(Table, tablename="cache_pin"):
    """Keeps a segment from eviction, also before it is made."""

    id = UUID(primary_key=True, default=new_id)
    segment_key = Text()
    owner = Text(index=True)  # such as "preview"
    expires_at = Timestamptz(null=True, default=None)

    uq_cache_pin_segment_owner = Unique([segment_key, owner])

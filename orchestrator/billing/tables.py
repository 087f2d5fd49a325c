from piccolo.columns import UUID, DoublePrecision, ForeignKey, Integer, OnDelete, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table

from orchestrator.accounts.tables import Account
from orchestrator.lib.ids import new_id


class Usage(Table, tablename="usage"):
    """What an account heard: one segment a row, or all cached ones of a key and model within a moment. Append-only."""

    id = UUID(primary_key=True, default=new_id)
    account = ForeignKey(Account, null=False, index=True, on_delete=OnDelete.cascade)
    api_key = UUID(null=True, default=None)  # no reference: the row outlives its key
    model = Text()
    source = Text()  # made, joined or cached
    segment_key = Text(null=True, default=None)  # null for cached ones
    segments = Integer(default=1)
    characters = Integer()
    seconds = DoublePrecision()
    made_seconds = DoublePrecision()  # by a model, for this account
    counted_at = Timestamptz(default=TimestamptzNow())

from piccolo.columns import UUID, DoublePrecision, ForeignKey, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.constraints import Unique
from piccolo.table import Table

from orchestrator.accounts.tables import Account
from orchestrator.documents.tables import Block, Document
from orchestrator.lib.ids import new_id


class ListeningPosition(Table, tablename="listening_position"):
    """An account's last position in a document."""

    id = UUID(primary_key=True, default=new_id)
    account = ForeignKey(Account, null=False, on_delete=OnDelete.cascade)
    document = ForeignKey(Document, null=False, on_delete=OnDelete.cascade, index=True)
    block = ForeignKey(Block, null=False, on_delete=OnDelete.cascade, index=True)
    seconds = DoublePrecision(default=0.0)  # into the block
    updated_at = Timestamptz(default=TimestamptzNow())

    uq_listening_position_account_document = Unique([account, document])

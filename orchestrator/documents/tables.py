from piccolo.columns import JSONB, UUID, ForeignKey, Integer, Real, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.constraints import Unique
from piccolo.table import Table

from orchestrator.accounts.tables import Account
from orchestrator.jobs.tables import Job
from orchestrator.lib.ids import new_id


class Document(Table, tablename="document"):
    id = UUID(primary_key=True, default=new_id)
    account = ForeignKey(Account, null=False)  # indexed together with id, in the first migration
    title = Text()
    format = Text()  # markdown or text
    text = Text()
    status = Text(default="queued")  # queued, ready or failed
    error = Text(null=True, default=None)
    job = ForeignKey(Job, null=True, default=None, on_delete=OnDelete.set_null, index=True)  # that cuts it
    characters = Integer()
    blocks = Integer(default=0)
    estimated_seconds = Real(default=0.0)
    created_at = Timestamptz(default=TimestamptzNow())


class Block(Table, tablename="block"):
    id = UUID(primary_key=True, default=new_id)
    document = ForeignKey(Document, null=False, on_delete=OnDelete.cascade)
    position = Integer()
    role = Text()
    level = Integer(null=True, default=None)
    shown = Text()
    spoken = Text()
    spans = JSONB()
    parts = JSONB()
    estimated_seconds = Real()
    ends = Text(null=True, default="paragraph")  # what ends with it; NULL where it is cut between two words

    uq_block_document_position = Unique([document, position])

from piccolo.columns import JSONB, UUID, BigInt, Boolean, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table

from orchestrator.accounts.tables import Account
from orchestrator.lib.ids import new_id


class Job(Table, tablename="job"):
    """What an account sees of a job. The queue itself is Procrastinate's, in tables of its own."""

    id = UUID(primary_key=True, default=new_id)
    account = ForeignKey(Account, null=False, on_delete=OnDelete.cascade)  # indexed together with id
    kind = Text()
    resource = Text()  # the path of what is being made
    state = Text(default="queued")  # queued, running, succeeded, failed or cancelled
    done = Integer(default=0)
    total = Integer(default=0)
    message = Text(default="")
    error = JSONB(null=True, default=None)  # a problem
    tries = Integer(default=0)  # starts that did not end by an outage or a shutdown
    run = UUID(null=True, default=None)  # the start that is going on: what an earlier one still writes is not taken
    cancel_requested = Boolean(default=False)
    queue_id = BigInt()  # Procrastinate's id
    version = Integer(default=1)  # a trigger counts each change, and tells of it
    created_at = Timestamptz(default=TimestamptzNow())
    started_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None, index=True)

from piccolo.columns import UUID, Bytea, ForeignKey, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table

from orchestrator.lib.ids import new_id


class Account(Table, tablename="account"):
    id = UUID(primary_key=True, default=new_id)
    name = Text(unique=True)
    plan = Text(default="local")  # a name; its limits and prices are settings
    created_at = Timestamptz(default=TimestamptzNow())


class ApiKey(Table, tablename="api_key"):
    """A key is shown once, when it is made; only its digest is stored."""

    id = UUID(primary_key=True, default=new_id)
    account = ForeignKey(Account, null=False, index=True)
    name = Text()
    digest = Bytea(unique=True)
    created_at = Timestamptz(default=TimestamptzNow())
    revoked_at = Timestamptz(null=True, default=None)

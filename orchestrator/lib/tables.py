from piccolo.columns import UUID, Text, Timestamptz
from piccolo.table import Table


class Lease(Table, tablename="lease"):
    """Names the process that makes a segment, so that no other process makes it too."""

    key = Text(primary_key=True)
    owner = UUID(index=True)
    expires_at = Timestamptz()

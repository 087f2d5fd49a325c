"""What Piccolo's own migrations cannot say: indexes over several columns, and a table without a write-ahead log."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-23T03:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes"

FORWARDS = (
    # Lists are paged by (account, id), newest first; ids sort by time.
    "CREATE INDEX document_account_id ON document (account, id DESC)",
    # A lease lives for seconds and means nothing after a crash.
    "ALTER TABLE synthesis_lease SET UNLOGGED",
)
BACKWARDS = ("ALTER TABLE synthesis_lease SET LOGGED", "DROP INDEX document_account_id")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lectern", description=DESCRIPTION)

    async def run() -> None:
        for statement in FORWARDS:
            await engine_finder().run_ddl(statement)

    async def run_backwards() -> None:
        for statement in BACKWARDS:
            await engine_finder().run_ddl(statement)

    manager.add_raw(run)
    manager.add_raw_backwards(run_backwards)
    return manager

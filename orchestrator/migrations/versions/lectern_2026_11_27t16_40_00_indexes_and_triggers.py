"""What Piccolo's own migrations cannot say: indexes over several columns or few rows, an unlogged table, a trigger."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-27T16:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes and triggers"

FORWARDS = (
    # Lists are paged by (account, id), newest first; ids sort by time.
    "CREATE INDEX document_account_id ON document (account, id DESC)",
    # A lease lives for seconds and means nothing after a crash.
    "ALTER TABLE lease SET UNLOGGED",
    # Every check of the cache asks for these rows, and nearly always there are none.
    "CREATE INDEX cached_segment_evicting ON cached_segment (segment_key) WHERE evicting",
    "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'a row of % is never changed', TG_TABLE_NAME; END $$",
    "CREATE TRIGGER voice_consent_stays BEFORE UPDATE ON voice_consent FOR EACH ROW EXECUTE FUNCTION refuse_change()",
)
BACKWARDS = (
    "DROP TRIGGER voice_consent_stays ON voice_consent",
    "DROP FUNCTION refuse_change()",
    "DROP INDEX cached_segment_evicting",
    "ALTER TABLE lease SET LOGGED",
    "DROP INDEX document_account_id",
)


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

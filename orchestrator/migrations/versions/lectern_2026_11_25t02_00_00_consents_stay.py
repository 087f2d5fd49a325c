"""What Piccolo's own migrations cannot say: that a consent is never changed, by whatever way somebody tries."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-25T02:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "consents stay"

FORWARDS = (
    "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'a row of % is never changed', TG_TABLE_NAME; END $$",
    "CREATE TRIGGER voice_consent_stays BEFORE UPDATE ON voice_consent FOR EACH ROW EXECUTE FUNCTION refuse_change()",
)
BACKWARDS = ("DROP TRIGGER voice_consent_stays ON voice_consent", "DROP FUNCTION refuse_change()")


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

"""What Piccolo's own migrations cannot say of jobs: the index of an account's list, and the trigger that tells changes."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-27T20:01:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "job changes"

FORWARDS = (
    "CREATE INDEX job_account_id ON job (account, id DESC)",
    # Whoever follows a job is told of each change, whichever process makes it.
    "CREATE FUNCTION tell_job_change() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN NEW.version = OLD.version + 1; PERFORM pg_notify('lectern_job', NEW.id::text); RETURN NEW; END $$",
    "CREATE TRIGGER job_changes BEFORE UPDATE ON job FOR EACH ROW EXECUTE FUNCTION tell_job_change()",
)
BACKWARDS = (
    "DROP TRIGGER job_changes ON job",
    "DROP FUNCTION tell_job_change()",
    "DROP INDEX job_account_id",
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

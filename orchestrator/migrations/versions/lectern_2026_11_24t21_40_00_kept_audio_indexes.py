"""What Piccolo's own migrations cannot say: an index over the few rows that are being evicted."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-24T21:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "kept audio indexes"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="lectern", description=DESCRIPTION)

    async def run() -> None:
        # Every look asks for these rows, and nearly always there are none.
        await engine_finder().run_ddl("CREATE INDEX kept_audio_evicting ON kept_audio (segment_key) WHERE evicting")

    async def run_backwards() -> None:
        await engine_finder().run_ddl("DROP INDEX kept_audio_evicting")

    manager.add_raw(run)
    manager.add_raw_backwards(run_backwards)
    return manager

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import JSONB
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-27T20:01:05:825328"
VERSION = "1.38.0"
DESCRIPTION = "checksums of cached objects"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="lectern", description=DESCRIPTION)

    manager.add_column(
        table_class_name="CachedSegment",
        tablename="cached_segment",
        column_name="checksums",
        db_column_name="checksums",
        column_class_name="JSONB",
        column_class=JSONB,
        params={
            "default": "{}",
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    return manager

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Text
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-28T00:05:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "what ends with a block"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="lectern", description=DESCRIPTION)

    manager.add_column(
        table_class_name="Block",
        tablename="block",
        column_name="ends",
        db_column_name="ends",
        column_class_name="Text",
        column_class=Text,
        params={
            "default": "paragraph",
            "null": True,
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

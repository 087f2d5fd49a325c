import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A new folder that every user may pass through: root hands Postgres to another user, and pytest's are closed."""
    with tempfile.TemporaryDirectory(prefix="lectern-test-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)

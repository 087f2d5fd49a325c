import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.embedded.home import Home


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A new folder that every user may pass through, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="lectern-test-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def home(open_folder: Path) -> Home:
    home = Home(open_folder / "home")
    home.prepare()
    return home

"""What is generated from the code and kept in the repository is what the code says now."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("command", "kept"), [("openapi", "clients/openapi.json"), ("settings", "docs/settings.md")], ids=str
)
def test_the_kept_page_is_up_to_date(command: str, kept: str) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "orchestrator", command], cwd=ROOT, capture_output=True, check=True
    ).stdout
    assert (ROOT / kept).read_bytes() == made, f"run 'make {command}'"


@pytest.mark.parametrize("package", ["rest", "triton"])
def test_the_client_for_threads_is_up_to_date(package: str) -> None:
    folder = ROOT / "clients/python/src/lectern" / package
    command = [sys.executable, "clients/python/generate_sync.py", str(folder / "aio.py")]
    generated = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    assert (folder / "sync.py").read_bytes() == generated, "run 'make sync-client'"

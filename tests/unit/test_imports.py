"""What takes long to import is loaded only where it is needed, and not while somebody waits for a start."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.migrations.run import migrations

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("module", "spared"),
    [
        ("orchestrator.app", {"spacy", "procrastinate"}),
        ("orchestrator.documents.jobs", {"spacy"}),
        ("orchestrator.migrations.run", {"procrastinate", "piccolo.apps.migrations.commands.forwards"}),
        ("orchestrator.embedded.up", {"av", "spacy"}),
        ("orchestrator.embedded.__main__", {"numpy"}),
    ],
)
def test_what_a_process_does_not_load_before_it_starts(module: str, spared: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    names = set(loaded.stdout.split())
    assert module in names
    assert not names & spared


def test_the_migrations_are_known_without_being_imported() -> None:
    found = set()
    for file in (ROOT / "orchestrator" / "migrations" / "versions").glob("lectern_*.py"):
        spec = importlib.util.spec_from_file_location(file.stem, file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found.add(module.ID)
    assert found == migrations() != set()

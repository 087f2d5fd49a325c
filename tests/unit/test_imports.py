"""What a process loads before it starts, and which domains import which."""

import ast
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
        ("orchestrator.app", {"spacy", "procrastinate.worker"}),
        ("orchestrator.documents.jobs", {"spacy"}),
        ("orchestrator.migrations.run", {"procrastinate", "piccolo.apps.migrations.commands.forwards"}),
        ("orchestrator.embedded.up", {"av", "spacy"}),
        ("orchestrator.embedded.__main__", {"numpy"}),
        ("orchestrator.guard.program", {"litestar", "piccolo", "asyncpg", "obstore", "av", "spacy"}),
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


LAYERS = (
    ("audio", "text", "lib"),
    ("accounts", "guard"),
    ("jobs",),
    ("billing", "documents", "voices"),
    ("speech",),
    ("health", "playback"),
)
HEIGHT = {domain: height for height, domains in enumerate(LAYERS) for domain in domains}


def imported(file: Path) -> set[str]:
    """Returns the modules of the orchestrator that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return {name for name in found if name.startswith("orchestrator.")}


@pytest.mark.parametrize("domain", HEIGHT)
def test_a_domain_imports_only_those_below_it_and_nobodys_controllers(domain: str) -> None:
    files = list((ROOT / "orchestrator" / domain).rglob("*.py"))
    assert files
    for file in files:
        for name in imported(file):
            other = name.split(".")[1]
            if other != domain and other in HEIGHT:
                assert HEIGHT[other] < HEIGHT[domain], f"{file.relative_to(ROOT)} imports {name}"
                assert not name.endswith("controllers"), f"{file.relative_to(ROOT)} imports {name}"

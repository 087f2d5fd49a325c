"""A checkout with the scripts of `.ci`, a Makefile of one line a target and the tests that each test writes."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / ".ci"
MAKEFILE = f"""
PYTEST ?= -m pytest
check:
	@echo checked
test-unit:
	@{sys.executable} $(PYTEST) $(OPTIONS) unit
	@echo the rest of the target
test-stack:
	@LECTERN_TEST_PLACE=here {sys.executable} $(PYTEST) stack
"""


@dataclass(frozen=True)
class Checkout:
    root: Path

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def steps(self, *names: str, options: str = "") -> tuple[int, str]:
        """Runs the steps as `.ci/run` does."""
        return self._run("steps.py", *names, OPTIONS=options)

    def changed(self, step: str, **variables: str) -> tuple[int, str]:
        return self._run("changed_inputs.py", step, **variables)

    def _run(self, script: str, *arguments: str, **variables: str) -> tuple[int, str]:
        inherited = ("PYTEST_", "CI_", "MAKE", "MFLAGS", "GIT_")
        variables["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # these take longer to load than the tests to run
        environment = {name: value for name, value in os.environ.items() if not name.startswith(inherited)}
        ended = subprocess.run(
            [sys.executable, f".ci/{script}", *arguments], cwd=self.root, env={**environment, **variables},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        return ended.returncode, ended.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    shutil.copytree(SCRIPTS, tmp_path / ".ci", ignore=shutil.ignore_patterns("__pycache__"))
    made = Checkout(tmp_path)
    made.write("Makefile", MAKEFILE)
    made.write("pytest.ini", "[pytest]\naddopts = --import-mode=importlib\n")
    made.write("stack/test_stack.py", "def test_stack():\n    pass\n")
    return made

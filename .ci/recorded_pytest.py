"""Runs pytest as it is asked to, and records what a second try of the failed tests needs.

The Makefile's targets call it in place of pytest (`PYTEST=.ci/recorded_pytest.py`) when `.ci/run` runs them. Each run
leaves the durations in its output, and a report in JUnit's form and a record in the folder that `CI_REPORTS` names. It
exits with 0 once that is written, so that the rest of the target runs: `.ci/steps.py` judges by the records.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

TESTS_FAILED = 1  # pytest's exit status; any other but 0 means that pytest could not do its work


@dataclass(frozen=True)
class Record:
    command: list[str]
    variables: dict[str, str]
    """The part of the target's environment that tests look at."""
    passed: int
    failed: list[str]
    """Node ids of the failed tests. Empty if the run is broken."""
    broken: str
    """Why the run says nothing about its tests. Empty if it does."""


def run_pytest(command: list[str], report: Path, cache: Path, variables: dict[str, str]) -> Record:
    """Runs pytest with its report and its cache, which remembers what failed, in the given places."""
    options = [f"--junitxml={report}", "-o", f"cache_dir={cache.absolute()}"]
    status = subprocess.run([*command, *options], env={**os.environ, **variables}, check=False).returncode
    cases = list(ET.parse(report).iter("testcase")) if report.exists() else []
    bad = {(case.get("classname"), case.get("name")) for case in cases if _has(case, "failure", "error")}
    failed = failed_before(cache)
    broken = ""
    if status not in (0, TESTS_FAILED) or not report.exists():
        broken = f"pytest ended with status {status}{'' if report.exists() else ' and without a report'}"
    elif any("crashed while running" in found.get("message", "") for case in cases for found in case):
        broken = "a worker of pytest crashed"
    elif not all("::" in test for test in failed):
        broken = "not every test could be collected"
    elif len(bad) != len(failed) or bool(failed) != bool(status):
        broken = f"pytest ended with status {status}, reports {len(bad)} failed tests and remembers {len(failed)}"
    passed = sum(not _has(case, "failure", "error", "skipped") for case in cases)
    return Record(command, variables, passed, [] if broken else failed, broken)


def _has(case: ET.Element, *outcomes: str) -> bool:
    return any(case.find(outcome) is not None for outcome in outcomes)


def last_failed(cache: Path) -> Path:
    """Where pytest remembers what failed: `--last-failed` runs the tests that this file names."""
    return cache / "v" / "cache" / "lastfailed"


def failed_before(cache: Path) -> list[str]:
    remembered = last_failed(cache)
    return sorted(json.loads(remembered.read_text())) if remembered.exists() else []


def main(arguments: list[str]) -> None:
    folder = Path(os.environ["CI_REPORTS"])
    folder.mkdir(parents=True, exist_ok=True)
    number = 1 + len(list(folder.glob("*.json")))
    variables = {name: value for name, value in os.environ.items() if name.startswith(("LECTERN_", "PYTHONPATH"))}
    command = [sys.executable, "-m", "pytest", "--durations=40", *arguments]
    record = run_pytest(command, folder / f"{number}.xml", folder / f"cache-{number}", variables)
    (folder / f"{number}.json").write_text(json.dumps(asdict(record)))


if __name__ == "__main__":
    main(sys.argv[1:])

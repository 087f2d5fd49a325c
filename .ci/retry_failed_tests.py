"""Runs each failed test once more, alone: a test that passes then is flaky, one that fails again has failed.

    retry_failed_tests.py FOLDER

FOLDER has a folder for each step, with the records of `recorded_pytest.py`. More than a handful of failed tests are not
flaky: none of them is tried again.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from recorded_pytest import Record, last_failed, run_pytest

MOST = 5


@dataclass
class Verdict:
    flaky: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = {"flaky": self.flaky, "failed": self.failed}
        return "".join(
            f"{name}:\n" + "".join(f"  {line}\n" for line in lines) for name, lines in parts.items() if lines
        )


def records(folder: Path) -> dict[Path, Record]:
    return {path: Record(**json.loads(path.read_text())) for path in sorted(folder.glob("*/*.json"))}


def judge(folder: Path) -> Verdict:
    """Tries again what failed in any of the folder's records."""
    verdict = Verdict()
    found = records(folder)
    verdict.failed += [f"{path.parent.name}: {record.broken}" for path, record in found.items() if record.broken]
    failed = [(path, record, test) for path, record in found.items() for test in record.failed]
    if len(failed) > MOST:
        print(f"{len(failed)} tests failed, too many to be flaky: none is tried again")
    for number, (path, record, test) in enumerate(failed):
        name = f"{path.parent.name}: {test}"
        if len(failed) <= MOST and _passes_alone(record, test, path.parent / f"again-{number}"):
            verdict.flaky.append(name)
        else:
            verdict.failed.append(name)
    return verdict


def _passes_alone(record: Record, test: str, place: Path) -> bool:
    print(f"\n== once more, alone: {test}", flush=True)
    remembered = last_failed(place)
    remembered.parent.mkdir(parents=True)
    remembered.write_text(json.dumps({test: True}))
    in_one_process = ["-n0"] if "-n" in record.command else []
    command = [*record.command, *in_one_process, "--last-failed", "--last-failed-no-failures=none"]
    again = run_pytest(command, place / "report.xml", place, record.variables)
    return not again.broken and not again.failed and again.passed == 1


def main(arguments: list[str]) -> int:
    verdict = judge(Path(arguments[0]))
    print(verdict, end="")
    return 1 if verdict.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

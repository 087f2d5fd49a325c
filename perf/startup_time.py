"""Measures how long `make up` takes, on a new home and on a used one: ``python -m perf.startup_time``."""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from perf.machine import cpu_seconds, machine
from perf.summary_statistics import median_ranges

ROOT: Final = Path(__file__).parents[1]
# What `up` says, and what it means. The first is said when /readyz says so.
MILESTONES: Final = {"ready": "  ready", "serves": "Lectern serves until Ctrl-C."}
OWN: Final = ("DATABASE_URL", "TRITON_URL", "STORE_URL", "LECTERN_SAMPLE")


def main() -> int:
    options = _options()
    print("machine: " + ", ".join(f"{name} {value}" for name, value in machine().items()))
    first, second = [], []
    try:
        for _ in range(options.repetitions):
            with TemporaryDirectory(prefix="lectern-") as folder:
                Path(folder).chmod(0o711)  # root starts Postgres as another user, who has to pass through
                first.append(start(Path(folder) / "home"))
                second.append(start(Path(folder) / "home"))
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    for title, measured in (("first start", first), ("second start", second)):
        print(f"\n{title}: median of {len(measured)} (least to most)")
        for name, values in median_ranges(measured).items():
            print(f"  {name:40} {values}")
    print(f"\nload average at the end: {os.getloadavg()[0]:.2f}")
    return 0


def start(home: Path) -> dict[str, float]:
    """Starts a stack and stops it; returns seconds. Raises RuntimeError with its output if it does not serve."""
    kept = {name: value for name, value in os.environ.items() if name not in OWN}
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator.embedded", "up"],
        cwd=ROOT, env={**kept, "LECTERN_HOME": str(home), "LECTERN_HOST": "127.0.0.1", "LECTERN_PORT": "0"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    measured: dict[str, float] = {}
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            for name, words in MILESTONES.items():
                if line.rstrip("\n").endswith(words):
                    measured[f"seconds until {name}"] = time.monotonic() - began
                    measured[f"processor seconds until {name}"] = cpu_seconds(process.pid)
            if len(measured) == 2 * len(MILESTONES):
                return measured
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    raise RuntimeError(f"the stack did not come to serve:\n{''.join(said)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m perf.startup_time", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5, help="new homes, each started twice")
    options = parser.parse_args()
    if options.repetitions <= 0:
        parser.error("--repetitions must be positive")
    return options


if __name__ == "__main__":
    sys.exit(main())

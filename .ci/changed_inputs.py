"""Says whether what a slow step tests has changed, and why the step therefore runs or does not.

    changed_inputs.py STEP

It exits with 0 if the step has to run. CI_FULL=1 makes every step run. CI_BASE names the commit to compare with;
without it the last day's commits are looked at. What is not committed yet counts too.
"""

import os
import subprocess
import sys
from dataclasses import dataclass

HIGGS = ("docker/models", "docker/triton", "model_repository", "tests/higgs", "tests/models/fake_higgs")
KOKORO = (
    *("docker/models/english_tagger", "docker/models/kokoro_export", "docker/models/weights", "docker/triton"),
    *("model_repository/kokoro", "model_repository/kokoro_acoustic", "model_repository/kokoro_g2p"),
    *("orchestrator/speech", "clients/python/src/lectern/time_stretch"),
)
ENVIRONMENTS = ("docker/locks", "docker/bootstrap.sh")
PYTEST = r"\[tool\.pytest|^(testpaths|addopts|xfail_strict|markers|timeout|filterwarnings|pythonpath) = "


@dataclass(frozen=True)
class Inputs:
    paths: tuple[str, ...]
    lines: dict[str, str]
    """Files of which only the lines that match concern the step."""


INPUTS = {
    "models": Inputs(
        (*HIGGS, *ENVIRONMENTS, "tests/export", "tests/fake_higgs.py", "tests/own_triton.py"),
        {"Makefile": "test-models|EXPORT|OLDER|PYTEST", "pyproject.toml": PYTEST},
    ),
    "ears": Inputs(
        (*KOKORO, *ENVIRONMENTS, "tests/ears", "tests/kokoro.py", "tests/stack.py"),
        {"Makefile": "test-ears|EARS|EXPORT|PYTEST", "pyproject.toml": PYTEST},
    ),
    "vllm": Inputs(
        (*HIGGS, *ENVIRONMENTS, "tests/vllm", "tests/own_triton.py", "tests/stack.py"),
        {"Makefile": "test-vllm|VLLM|PYTEST", "pyproject.toml": PYTEST},
    ),
}


class GitError(Exception):
    """Git does not know what changed."""


def must_run(step: str) -> tuple[bool, str]:
    """Returns whether the step has to run, and why."""
    if os.environ.get("CI_FULL") == "1":
        return True, "CI_FULL=1"
    base = os.environ.get("CI_BASE")
    try:
        if not base and _git("rev-parse", "--is-shallow-repository") == ["true"]:
            return True, "the clone is shallow, and may lack the last day's commits"
        changed = _changed(INPUTS[step], f"{base}..HEAD" if base else "--since=1 day ago")
    except GitError as error:
        return True, f"git cannot tell what changed: {error}"
    period = f"since {base}" if base else "in the last day"
    if not changed:
        return False, f"none of its inputs changed {period}"
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    return True, f"inputs changed {period}: {', '.join(changed[:3])}{more}"


def _changed(inputs: Inputs, commits: str) -> list[str]:
    names = ("--name-only", "--no-renames")
    found = set(_git("log", "-m", "--format=", *names, commits, "--", *inputs.paths))
    found.update(_git("diff", *names, "HEAD", "--", *inputs.paths))
    found.update(_git("ls-files", "--others", "--exclude-standard", "--", *inputs.paths))
    for path, pattern in inputs.lines.items():
        found.update(_git("log", "-m", "--format=", *names, f"-G{pattern}", "--extended-regexp", commits, "--", path))
        found.update(_git("diff", *names, f"-G{pattern}", "HEAD", "--", path))
    return sorted(found)


def _git(*arguments: str) -> list[str]:
    try:
        ended = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise GitError("it is not installed") from None
    if ended.returncode:
        raise GitError(ended.stderr.strip())
    return ended.stdout.split("\n")[:-1]


def main(arguments: list[str]) -> int:
    runs, reason = must_run(arguments[0])
    print(f"{arguments[0]} {'runs' if runs else 'does not run'}: {reason}")
    return 0 if runs else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

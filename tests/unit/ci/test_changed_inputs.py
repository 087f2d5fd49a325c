"""When the slow steps run: if their inputs changed, or if nobody can know."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ci.conftest import Checkout

ROOT = Path(__file__).resolve().parents[3]


def git(root: Path, *arguments: str, days_ago: float = 0) -> str:
    moment = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    given = {
        "GIT_AUTHOR_DATE": moment,
        "GIT_COMMITTER_DATE": moment,
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "HOME": str(root),
    }
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "protocol.file.allow=always")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=root, env={"PATH": "/usr/local/bin:/usr/bin:/bin", **given},
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip


@pytest.fixture
def history(checkout: Checkout) -> Checkout:
    """Everything was committed three days ago, and one file that no slow step looks at an hour ago."""
    checkout.write("Makefile", "test-vllm:\n\t@true\nhelp:\n\t@true\n")
    for path in ("docker/locks/dev.txt", "model_repository/higgs/1/model.py", "tests/vllm/test_v2.py", "docs/a.md"):
        checkout.write(path, "old\n")
    checkout.write("pyproject.toml", "[tool.pytest.ini_options]\ntimeout = 300\n[tool.ruff]\nline-length = 120\n")
    git(checkout.root, "init", "--quiet")
    commit(checkout, days_ago=3)
    checkout.write("docs/a.md", "new\n")
    commit(checkout, days_ago=0.05)
    return checkout


def commit(checkout: Checkout, days_ago: float = 0.04) -> None:
    git(checkout.root, "add", "--all", days_ago=days_ago)
    git(checkout.root, "commit", "--quiet", "--message", "Something", days_ago=days_ago)


def test_a_step_whose_inputs_did_not_change_does_not_run(history: Checkout) -> None:
    assert history.changed("vllm") == (1, "vllm does not run: none of its inputs changed in the last day\n")


def test_a_step_whose_inputs_changed_runs(history: Checkout) -> None:
    history.write("tests/vllm/test_v2.py", "new\n")
    commit(history)
    assert history.changed("vllm") == (0, "vllm runs: inputs changed in the last day: tests/vllm/test_v2.py\n")
    assert history.changed("models")[0] == 1


def test_a_step_runs_whose_input_was_moved_away_or_changed_on_a_merged_branch(history: Checkout) -> None:
    git(history.root, "checkout", "--quiet", "-b", "other")
    git(history.root, "mv", "model_repository/higgs", "docs/higgs")
    commit(history)
    git(history.root, "checkout", "--quiet", "-")
    history.write("docs/b.md", "new\n")
    commit(history)
    git(history.root, "merge", "--quiet", "--no-ff", "other")
    assert history.changed("vllm")[1].endswith(": model_repository/higgs/1/model.py\n")


@pytest.mark.parametrize("committed", [True, False])
def test_only_some_lines_of_the_makefile_and_of_pyproject_matter(history: Checkout, *, committed: bool) -> None:
    def change(path: str, old: str, new: str) -> tuple[int, str]:
        history.write(path, (history.root / path).read_text().replace(old, new))
        if committed:
            commit(history)
        return history.changed("vllm")

    assert change("Makefile", "help", "helps")[0] == 1
    assert change("pyproject.toml", "120", "100")[0] == 1
    assert change("Makefile", "test-vllm", "test-vllms")[0] == 0
    assert change("Makefile", "test-vllms", "test-vllm")[0] == (0 if committed else 1)
    assert change("pyproject.toml", "300", "400")[0] == 0


@pytest.mark.parametrize("staged", [True, False])
def test_what_is_not_committed_counts(history: Checkout, *, staged: bool) -> None:
    history.write("docker/locks/vllm.txt", "new\n")
    if staged:
        git(history.root, "add", "docker")
    assert history.changed("vllm") == (0, "vllm runs: inputs changed in the last day: docker/locks/vllm.txt\n")


def test_from_a_commit_on(history: Checkout) -> None:
    base = git(history.root, "rev-parse", "HEAD")
    history.write("tests/vllm/test_v2.py", "new\n")
    commit(history, days_ago=2)
    assert history.changed("vllm")[0] == 1
    assert history.changed("vllm", CI_BASE=base)[0] == 0
    assert history.changed("vllm", CI_BASE="HEAD")[0] == 1
    assert history.changed("vllm", CI_BASE="nobody")[0] == 0


def test_all_steps_run_when_asked_for(history: Checkout) -> None:
    assert history.changed("vllm", CI_FULL="1") == (0, "vllm runs: CI_FULL=1\n")


def test_a_clone_without_the_history_runs_them(history: Checkout, tmp_path: Path) -> None:
    for depth, status in [("1", 0), ("9", 1)]:
        clone = tmp_path / "clones" / depth
        git(history.root, "clone", "--quiet", "--depth", depth, f"file://{history.root}", str(clone))
        assert Checkout(clone).changed("vllm")[0] == status


def test_a_checkout_without_git_runs_them(checkout: Checkout) -> None:
    status, said = checkout.changed("models", GIT_CEILING_DIRECTORIES=str(checkout.root.parent))
    assert status == 0
    assert "git cannot tell what changed" in said


def test_the_inputs_are_there() -> None:
    scripts: dict[str, Any] = {"__name__": "changed"}
    exec((ROOT / ".ci" / "changed_inputs.py").read_text(), scripts)
    for inputs in scripts["INPUTS"].values():
        assert all((ROOT / path).exists() for path in (*inputs.paths, *inputs.lines))

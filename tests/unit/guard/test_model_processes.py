"""Processes and shared memory of other users are never taken for those of our models."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.guard import model_processes
from orchestrator.guard.model_processes import PROGRAM, SHARED_MEMORY, Stub, Stubs

NOBODY = 65_534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture
def prefix() -> Iterator[str]:
    name = f"lectern-test-{os.getpid()}-"
    yield name
    for path in SHARED_MEMORY.glob(f"{name}*"):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


@contextmanager
def process(region: str, user: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a process with the name of a model process."""
    argv = [PROGRAM, "-s", region]  # a shell that reads commands from its input
    with subprocess.Popen(
        argv, executable="/bin/sh", stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=user, cwd="/"
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            running.stdin.write(b"echo here; read end\n")
            running.stdin.flush()
            assert running.stdout.readline() == b"here\n"
            yield running
        finally:
            running.kill()


def test_a_process_of_ours_is_known_by_its_command_line(prefix: str) -> None:
    with process(f"{prefix}region") as running:
        (found,) = Stubs(prefix).find()
        assert (found.pid, found.region) == (running.pid, f"{prefix}region")
        assert Stubs(prefix).end_all() == [found]
        running.wait()  # it was killed
        assert not found.alive()


def test_a_process_without_a_server_is_killed(prefix: str) -> None:
    with process(f"{prefix}region") as running:
        (found,) = Stubs(prefix).find()
        assert found.orphaned(), "its parent is this test"
        assert Stubs(prefix).end_orphans() == [found]
        running.wait()
        assert not found.alive()
        assert not found.orphaned()


@needs_root
def test_a_process_of_another_user_is_left_alone(prefix: str) -> None:
    with process(f"{prefix}region", NOBODY):
        assert Stubs(prefix).find() == []
        assert Stubs(prefix).end_all() == []


def is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test makes counts as old."""
    monkeypatch.setattr(model_processes, "STARTING", -1.0)


def test_a_directory_or_a_link_is_no_memory_of_ours(
    prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_old(monkeypatch)
    (SHARED_MEMORY / f"{prefix}folder").mkdir()
    (SHARED_MEMORY / f"{prefix}link").symlink_to(tmp_path)
    (SHARED_MEMORY / f"{prefix}file").touch()
    assert Stubs(prefix).clean() == [f"{prefix}file"]
    assert Stubs(prefix).end_all() == []
    assert (SHARED_MEMORY / f"{prefix}folder").is_dir()


def test_only_the_memory_of_the_dead_is_removed_at_once(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A region without a process may belong to one that is about to start."""
    with process(f"{prefix}living"):
        for name in ("living", "dead", "starting"):
            (SHARED_MEMORY / f"{prefix}{name}").touch()
        assert Stubs(prefix).clean([Stub(1, "espeak", f"{prefix}dead")]) == [f"{prefix}dead"]
        is_old(monkeypatch)
        assert Stubs(prefix).clean() == [f"{prefix}starting"]
        assert (SHARED_MEMORY / f"{prefix}living").exists()


@needs_root
def test_memory_of_another_user_is_left_alone(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    is_old(monkeypatch)
    foreign = SHARED_MEMORY / f"{prefix}foreign"
    foreign.touch()
    os.chown(foreign, NOBODY, NOBODY)
    assert Stubs(prefix).clean() == []
    assert Stubs(prefix).end_all() == []
    assert foreign.exists()

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from orchestrator.embedded.child_process import Child, Command
from orchestrator.embedded.service_user import ServiceUser

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)
FAMILY = """
import subprocess, sys, time
child = subprocess.Popen(["sleep", "60"])
print(child.pid, flush=True)
time.sleep(60)
"""
SUPERVISOR = """
import asyncio, os, sys
from pathlib import Path
from orchestrator.embedded.child_process import Child, Command

async def main():
    child = await Child.spawn(Command(["sleep", "60"], Path(sys.argv[1]), dict(os.environ), Path("/")))
    print(child.pid, flush=True)
    await child.wait()

asyncio.run(main())
"""


def make_command(tmp_path: Path, *argv: str, **options: Any) -> Command:
    return Command(argv, tmp_path / "logs" / "command.log", dict(os.environ), tmp_path, **options)


def is_running(pid: int) -> bool:
    """Returns whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int, limit: float = 60.0) -> None:
    until = time.monotonic() + limit
    while is_running(pid):
        assert time.monotonic() < until, f"process {pid} still runs"
        time.sleep(0.01)


def wait_for_line(log: Path, limit: float = 60.0) -> str:
    until = time.monotonic() + limit
    while not (log.exists() and "\n" in log.read_text()):
        assert time.monotonic() < until, f"nothing in {log}"
        time.sleep(0.01)
    return log.read_text().splitlines()[0]


def test_the_output_of_a_child_is_in_its_log(tmp_path: Path) -> None:
    async def scenario() -> None:
        command = make_command(tmp_path, "sh", "-c", "echo to out; echo to err >&2; exit 3")
        child = await Child.spawn(command)
        assert await child.wait() == 3
        await child.stop()
        assert command.log.read_text() == "to out\nto err\n"

    asyncio.run(scenario())


def test_a_child_leads_its_own_session(tmp_path: Path) -> None:
    async def scenario() -> None:
        child = await Child.spawn(make_command(tmp_path, "sleep", "60"))
        try:
            assert os.getsid(child.pid) == child.pid
        finally:
            await child.stop()
        assert child.process.returncode == -signal.SIGTERM

    asyncio.run(scenario())


def test_a_child_that_ignores_the_stop_signal_is_killed_after_the_grace(tmp_path: Path) -> None:
    async def scenario() -> None:
        command = make_command(tmp_path, sys.executable, "-c", STUBBORN, grace=0.2)
        child = await Child.spawn(command)
        await asyncio.to_thread(wait_for_line, command.log)
        async with asyncio.timeout(60):
            await child.stop()
        assert child.process.returncode == -signal.SIGKILL

    asyncio.run(scenario())


def test_the_children_of_a_child_end_with_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        command = make_command(tmp_path, sys.executable, "-c", FAMILY)
        child = await Child.spawn(command)
        grandchild = int(await asyncio.to_thread(wait_for_line, command.log))
        assert is_running(grandchild)
        await child.stop()
        await asyncio.to_thread(wait_until_gone, grandchild)

    asyncio.run(scenario())


def test_stopping_twice_is_harmless(tmp_path: Path) -> None:
    async def scenario() -> None:
        child = await Child.spawn(make_command(tmp_path, "true"))
        await child.wait()
        await child.stop()
        await child.stop()

    asyncio.run(scenario())


def test_a_child_dies_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", SUPERVISOR, str(tmp_path / "command.log")]
    supervisor = subprocess.Popen(argv, stdout=subprocess.PIPE)
    assert supervisor.stdout is not None
    pid = int(supervisor.stdout.readline())
    assert is_running(pid)
    supervisor.kill()
    supervisor.communicate()
    wait_until_gone(pid)


def test_a_child_does_not_start_under_a_supervisor_killed_before_the_death_signal_was_set(tmp_path: Path) -> None:
    gate, setpriv = tmp_path / "gate", tmp_path / "bin" / "setpriv"
    setpriv.parent.mkdir()
    setpriv.write_text(f'#!/bin/sh\nread -r _ < {gate}\nexec {shutil.which("setpriv")} "$@"\n')
    setpriv.chmod(0o755)
    os.mkfifo(gate)
    argv = [sys.executable, "-c", SUPERVISOR, str(tmp_path / "command.log")]
    path = f"{setpriv.parent}:{os.environ['PATH']}"
    supervisor = subprocess.Popen(argv, stdout=subprocess.PIPE, env={**os.environ, "PATH": path})
    assert supervisor.stdout is not None
    pid = int(supervisor.stdout.readline())
    supervisor.kill()
    supervisor.communicate()
    gate.write_text("open\n")
    wait_until_gone(pid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs a child as another user")
def test_root_runs_a_child_as_another_user_without_roots_groups(tmp_path: Path) -> None:
    async def scenario() -> None:
        command = make_command(
            Path("/"), "id", user=ServiceUser("nobody", 65534, 65534), output=asyncio.subprocess.PIPE
        )
        child = await Child.spawn(
            Command(command.argv, tmp_path / "log", command.env, Path("/"), command.user, output=command.output)
        )
        said, _ = await child.process.communicate()
        await child.stop()
        assert said.startswith(b"uid=65534")
        assert b"(root)" not in said

    asyncio.run(scenario())


def test_what_a_child_told_last_is_its_own(tmp_path: Path) -> None:
    """Not what an earlier start has left in the log, nor lines without a word."""

    async def scenario() -> None:
        async def ended(script: str) -> Child:
            child = await Child.spawn(make_command(tmp_path, "sh", "-c", script))
            await child.wait()
            return child

        earlier = await ended("echo FATAL: earlier")
        child = await ended("echo one; echo FATAL: two; echo; echo '  three  '; echo ';'")
        assert child.tail() == "three"
        assert child.tail("FATAL") == "FATAL: two"
        assert child.tail("PANIC") == "three"
        silent = await ended("true")
        assert silent.tail("FATAL") == "it wrote nothing into command.log"
        assert child.lines()[0] == "one"
        assert earlier.lines()[0] == "FATAL: earlier"
        child.command.log.write_text("after a rotation\n")
        assert silent.tail() == "after a rotation"

    asyncio.run(scenario())

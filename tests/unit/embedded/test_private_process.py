"""A program that is started privately gets its secret argument, and leaves nothing that other users can read."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from orchestrator.embedded import private_process
from orchestrator.embedded.private_process import PLACEHOLDER, PRIVATE_ARGUMENT

ROOT = Path(__file__).parents[3]
SECRET = "--restricted=all:key=s3cret"
TELLING = """
import json, os, pathlib, sys
own = pathlib.Path("/proc/self")
made = pathlib.Path(sys.argv[1]) / "made"
opened = made.open("w")
os.fchmod(opened.fileno(), 0o644)  # as Boost does
print(json.dumps({
    "arguments": sys.orig_argv[1:],
    "command_line": (own / "cmdline").read_text(),
    "environment": dict(os.environ),
    "inherited": os.popen("env").read(),
    "mode": made.stat().st_mode & 0o777,
}))
"""
# PTRACE_SEIZE by a number that the kernel does not know.
UNTRACED = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from orchestrator.embedded import private_process
private_process._SEIZE = 0x7777
private_process.become(sys.argv[1:], {SECRET!r})
"""


def told(folder: Path, *launcher: str, arguments: tuple[str, ...], **variables: str) -> tuple[dict[str, Any], str]:
    command = [sys.executable, *launcher, sys.executable, "-c", TELLING, str(folder), *arguments]
    environment = {"PATH": os.environ["PATH"], **variables}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_the_secret_argument_arrives_and_stands_nowhere_else(tmp_path: Path) -> None:
    launcher = ("-I", "-S", str(private_process.__file__))
    found, warned = told(tmp_path, *launcher, arguments=("one", PLACEHOLDER, "two"), **{PRIVATE_ARGUMENT: SECRET})
    assert found["arguments"][-3:] == ["one", SECRET, "two"]
    assert SECRET not in found["command_line"]
    assert PLACEHOLDER in found["command_line"]
    assert PRIVATE_ARGUMENT not in found["environment"]
    assert SECRET not in found["inherited"]
    assert found["environment"]["PATH"] == os.environ["PATH"]
    assert found["mode"] == 0o600
    assert warned == ""


def test_without_a_secret_the_program_runs_as_it_is_called(tmp_path: Path) -> None:
    found, warned = told(tmp_path, "-I", "-S", str(private_process.__file__), arguments=("one",))
    assert found["arguments"][-1] == "one"
    assert warned == ""


def test_where_no_process_may_be_traced_the_command_line_has_the_secret_and_the_log_says_so(tmp_path: Path) -> None:
    found, warned = told(tmp_path, "-c", UNTRACED, arguments=(PLACEHOLDER, "two"))
    assert found["arguments"][-2:] == [SECRET, "two"]
    assert "can read Triton's secret in its command line" in warned

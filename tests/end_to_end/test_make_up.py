"""The command behind `make up`: first start, second start, Ctrl-C, mistakes, two stacks on one machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from orchestrator.embedded.ports import free_port
from orchestrator.embedded.sample_document import decode
from tests.processes import Process, descendants, wait_until_gone

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT = 90.0  # seconds
SECOND_START_GUARD = 60.0  # only against a hang; perf/startup_time.py measures the time on a quiet machine
SERVES = "serves until Ctrl-C"


class Lectern:
    """A running `up` command and its output."""

    def __init__(self, home: Path, *options: str, **environment: str) -> None:
        self.home = home
        self.output = home.with_name(f"{home.name}.txt")
        self.process = start(home, "up", *options, output=self.output, **environment)
        self.processes: list[Process] = []

    @property
    def printed(self) -> str:
        return self.output.read_text()

    @property
    def url(self) -> str:
        return str(json.loads((self.home / "stack.json").read_text())["url"])

    def wait_until_it_prints(self, text: str) -> float:
        """Returns the seconds until it printed the text."""
        began = time.monotonic()
        while text not in self.printed:
            assert self.process.poll() is None, self.printed
            assert time.monotonic() - began < START_LIMIT, self.printed
            time.sleep(0.02)
        self.processes = descendants(self.process.pid)
        return time.monotonic() - began

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


def start(home: Path, *arguments: str, output: Path, **environment: str) -> "subprocess.Popen[bytes]":
    inherited = {
        name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "TRITON_URL", "STORE_URL"}
    }
    settings = {"LECTERN_HOME": str(home), "LECTERN_PORT": "0", "LECTERN_SAMPLE": "0", **environment}
    with output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "orchestrator.embedded", *arguments], cwd=ROOT, env={**inherited, **settings},
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
        )  # fmt: skip


@contextmanager
def up(home: Path, *options: str, **environment: str) -> Iterator[Lectern]:
    lectern = Lectern(home, *options, **environment)
    try:
        yield lectern
    finally:
        if lectern.process.poll() is None:
            lectern.end(signal.SIGTERM)


def refused(home: Path, *arguments: str, **environment: str) -> str:
    """Returns the one line that a failed command prints."""
    output = home.with_name("refused.txt")
    assert start(home, *arguments, output=output, **environment).wait(timeout=60) == 1
    lines = [line for line in output.read_text().splitlines() if line.startswith("lectern: ")]
    assert len(lines) == 1, output.read_text()
    assert "Traceback" not in output.read_text()
    return lines[0]


def documents(lectern: Lectern, key: str) -> httpx.Response:
    return httpx.get(
        f"{lectern.url}/api/v1/documents", headers={"authorization": f"Bearer {key}"}, timeout=120, trust_env=False
    )


@pytest.fixture(scope="module")
def serving(open_folder: Path) -> Iterator[Lectern]:
    with up(open_folder / "serving") as lectern:
        lectern.wait_until_it_prints(SERVES)
        yield lectern


@pytest.fixture
def new_home(open_folder: Path) -> Path:
    folder = Path(tempfile.mkdtemp(dir=open_folder))
    folder.chmod(0o711)
    return folder / "home"


def test_a_first_start_and_a_second(open_folder: Path) -> None:
    home = open_folder / "first"
    with up(home, LECTERN_SAMPLE="1") as first:
        first.wait_until_it_prints(SERVES)
        key = (home / "api-key").read_text().strip()
        for step in ("Postgres runs", "Triton runs", "worker runs", "web runs", "ready", "times real time"):
            assert step in first.printed
        for text in (first.url, f"{first.url}/docs", str(home / "sample.opus"), str(home / "api-key"), key):
            assert text in first.printed
        assert (home / "api-key").stat().st_mode & 0o077 == 0
        assert decode(home / "sample.opus").seconds > 10
        heard = (home / "sample.opus").read_bytes()
        assert len(documents(first, key).json()["items"]) == 1

        first.process.send_signal(signal.SIGINT)
        first.wait_until_it_prints("stopping")
        assert first.end(signal.SIGINT) == 0  # a second Ctrl-C is harmless
        assert "Traceback" not in first.printed
        wait_until_gone(first.processes)
        assert not (home / "stack.json").exists()

    with up(home, LECTERN_SAMPLE="1") as second:
        assert second.wait_until_it_prints("ready") < SECOND_START_GUARD
        second.wait_until_it_prints(SERVES)
        assert f"read before, into {home / 'sample.opus'}" in second.printed
        assert "times real time" not in second.printed
        assert (home / "sample.opus").read_bytes() == heard
        assert key not in second.printed  # shown once
        assert (home / "api-key").read_text().strip() == key
        assert len(documents(second, key).json()["items"]) == 1  # not one more at each start


def test_ctrl_c_while_it_starts_stops_it(new_home: Path) -> None:
    with up(new_home) as lectern:
        lectern.wait_until_it_prints("Postgres runs")
        assert lectern.end(signal.SIGINT) == 0
        assert "Traceback" not in lectern.printed
        wait_until_gone(lectern.processes)


def test_a_home_that_is_in_use_is_refused(serving: Lectern) -> None:
    line = refused(serving.home, "up")
    assert f"already runs in {serving.home} at {serving.url} (process {serving.process.pid})" in line
    assert "make down" in line
    assert documents(serving, (serving.home / "api-key").read_text().strip()).is_success


def test_status_prints_what_runs(serving: Lectern, new_home: Path) -> None:
    output = new_home.with_name("status.txt")
    assert start(serving.home, "status", output=output).wait(timeout=60) == 0
    for text in (serving.url, "database", "store", "model espeak", "ready"):
        assert text in output.read_text()
    assert start(new_home, "status", output=output).wait(timeout=60) == 1
    assert "nothing runs" in output.read_text()
    assert start(new_home, "down", output=output).wait(timeout=60) == 0  # nothing to stop is no error
    assert "nothing runs" in output.read_text()
    assert not new_home.exists()


def test_a_second_stack_starts_and_stops_beside_it(serving: Lectern, new_home: Path) -> None:
    output = new_home.with_name("other.txt")
    with up(new_home) as other:
        other.wait_until_it_prints(SERVES)
        for lectern in (serving, other):
            key = (lectern.home / "api-key").read_text().strip()
            assert documents(serving, key).status_code == (200 if lectern is serving else 401)
            assert documents(other, key).status_code == (200 if lectern is other else 401)

        assert start(new_home, "purge", output=output).wait(timeout=60) == 0
        assert other.process.wait(timeout=60) == 0
        wait_until_gone(other.processes)
    assert not new_home.exists()
    assert httpx.get(f"{serving.url}/readyz", timeout=120, trust_env=False).is_success


@pytest.mark.long
def test_a_killed_supervisor_leaves_nothing_running_and_no_obstacle(new_home: Path) -> None:
    with up(new_home) as killed:
        killed.wait_until_it_prints(SERVES)
        assert {process.program for process in killed.processes} >= {
            "postgres",
            "tritonserver",
            "triton_python_backend_stub",
        }
        killed.process.kill()
        killed.process.wait()
        wait_until_gone(killed.processes)

    lost = (new_home / "api-key").read_text()
    (new_home / "api-key").unlink()
    with up(new_home) as again:
        again.wait_until_it_prints(SERVES)
        key = (new_home / "api-key").read_text()
        assert key != lost  # a lost key is replaced
        assert documents(again, key.strip()).is_success
        assert start(new_home, "down", output=new_home.with_name("down.txt")).wait(timeout=60) == 0
        assert again.process.wait(timeout=60) == 0
        wait_until_gone(again.processes)


def test_a_port_in_use_is_told(new_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        line = refused(new_home, "up", LECTERN_PORT=str(port))
    assert f"port {port} of 127.0.0.1 is in use" in line
    assert "LECTERN_PORT" in line


@pytest.mark.parametrize(
    ("variable", "value"), [("TRITON_URL", "127.0.0.1:{}"), ("DATABASE_URL", "postgresql://me:hush@127.0.0.1:{}/d")]
)
def test_an_address_where_nothing_listens_is_told(new_home: Path, variable: str, value: str) -> None:
    port = free_port()
    line = refused(new_home, "up", **{variable: value.format(port)})
    assert f"{variable}: no " in line
    assert f"is reached at 127.0.0.1:{port}" in line
    assert f"unset {variable}" in line
    assert "hush" not in line


@pytest.mark.parametrize(
    ("variable", "value"),
    [("LECTERN_PORT", "eight"), ("LECTERN_HOST", "192.0.2.1"), ("LECTERN_SAMPLE", "perhaps")],
)
def test_a_setting_that_cannot_be_used_is_told(new_home: Path, variable: str, value: str) -> None:
    assert variable in refused(new_home, "up", **{variable: value})


def test_purge_deletes_nothing_that_is_not_lecterns(new_home: Path) -> None:
    new_home.mkdir()
    (new_home / "chapter.tex").write_text("")
    assert "does not carry Lectern's marker" in refused(new_home, "purge")
    assert (new_home / "chapter.tex").exists()

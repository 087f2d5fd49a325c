"""Logs are bounded while processes write to them, and nobody else can read them."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.embedded import logs
from orchestrator.embedded.logs import keep_bounded, open_log, rotate
from tests.small_disk import small_disk

WRITER = """
import sys
for batch in sys.stdin:
    for number in range(2_000):
        print(f"line {number} of {batch.strip()}", flush=True)
    sys.stderr.write("written\\n")
    sys.stderr.flush()
print("the last line", flush=True)
"""
LIMIT = 10_000


@contextmanager
def writer(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with open_log(log) as file:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=file, stderr=subprocess.PIPE
        )
    with process:
        yield process


def test_a_short_log_stays_as_it_is(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    rotate(log)
    log.write_text("first\n" * 10)
    rotate(log, limit=100)
    assert log.read_text() == "first\n" * 10
    assert not (tmp_path / "one.log.1").exists()


def test_a_long_log_is_moved_and_its_writer_goes_on_in_the_same_file(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    with open_log(log) as file:
        for turn in ("first", "second", "third"):
            file.write(f"{turn}\n".encode() * 10)
            file.flush()
            rotate(log, limit=10)
            assert log.read_bytes() == b""
            assert (tmp_path / "one.log.1").read_text() == f"{turn}\n" * 10
        file.write(b"after\n")
    assert log.read_bytes() == b"after\n"
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_log_is_bounded_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "CHECK", 0.001)
    monkeypatch.setattr(rotate, "__defaults__", (LIMIT,))
    log, earlier = tmp_path / "one.log", tmp_path / "one.log.1"

    async def scenario(process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None
        assert process.stderr is not None
        keeping = asyncio.ensure_future(keep_bounded(tmp_path))
        for batch in range(3):
            process.stdin.write(f"batch {batch}\n".encode())
            process.stdin.flush()
            assert await asyncio.to_thread(process.stderr.readline) == b"written\n"
            while log.stat().st_size > LIMIT:  # noqa: ASYNC110 - no event tells it
                await asyncio.sleep(0.01)
            assert "line" in earlier.read_text()
        keeping.cancel()
        await asyncio.wait([keeping])

    with writer(log) as process:
        asyncio.run(asyncio.wait_for(scenario(process), 60))
        process.communicate()
    assert log.stat().st_size <= LIMIT + len("the last line\n")
    assert log.read_text().endswith("the last line\n")
    assert "\0" not in log.read_text() + earlier.read_text(), "no hole where something was cut"


def test_on_a_full_disk_a_long_log_is_dropped(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=2) as disk:
        log = disk / "one.log"
        log.write_bytes(bytes(1_500_000))
        rotate(log, limit=10)
        assert log.stat().st_size == 0
        assert not (disk / "one.log.1").exists()

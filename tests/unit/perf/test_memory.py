"""Whose memory is counted."""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest

from perf.memory import MIB, Peak, engines, gpu_bytes, gpus, resident, tree

SIZE = 64 * MIB
HOLD = f"import sys; block = bytes(range(256)) * {SIZE // 256}; print(flush=True); sys.stdin.read()"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process with the command line of an engine, and a worker that holds memory below it."""
    package = tmp_path / "lectern_triton" / "higgs_engine"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__main__.py").write_text(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}])")
    with subprocess.Popen(
        [sys.executable, "-m", "lectern_triton.higgs_engine", "--driver", "some.driver", "--socket", "3"],
        cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.communicate()


def test_an_engine_is_found_with_its_workers(engine: subprocess.Popen[str]) -> None:
    found = engines(os.getpid())
    assert found["some.driver"] == tree(engine.pid)
    assert len(found["some.driver"]) == 2
    assert SIZE < resident(found["some.driver"]) < 2 * SIZE + resident({os.getpid()})


def test_who_has_ended_holds_nothing(engine: subprocess.Popen[str]) -> None:
    pids = tree(engine.pid)
    engine.communicate()
    assert resident(pids) == 0
    assert "some.driver" not in engines(os.getpid())


@pytest.mark.anyio
async def test_the_greatest_values_are_kept() -> None:
    values = chain([1, 7], repeat(3))

    def measure() -> dict[str, int]:
        return {"some": next(values)}

    async with Peak(measure) as peak:
        for _ in range(2):
            peak._look()
    assert peak.values["some"] == 7


TOOL = """#!/bin/sh
case "$1" in
*query-gpu*) echo "NVIDIA Some, 580.1, 81559, 1024"; echo "NVIDIA Other, 580.1, [N/A], [N/A]";;
*) echo "17, 512"; echo "18, 256"; echo "99, [N/A]";;
esac
"""


def test_gpus_are_told_by_their_own_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(TOOL)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert [gpu["name"] for gpu in gpus()] == ["NVIDIA Some", "NVIDIA Other"]
    assert [gpu["memory_mib"] for gpu in gpus()] == [81_559, 0]
    assert gpu_bytes({17, 99}) == 512 * MIB


def test_without_that_tool_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus() == []
    assert gpu_bytes({1}) == 0

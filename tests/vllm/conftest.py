"""Higgs Audio by the real vLLM-Omni, on the CPU, with tiny random weights: `make test-vllm`.

The tests run where Triton's client is; the engine runs in an environment of its own, which has vLLM.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vllm.deployment import arguments
from tests.vllm.engine import Engine, running

ROOT = Path(__file__).parents[2]
VLLM_PYTHON = "LECTERN_TEST_VLLM_PYTHON"  # the interpreter that the engine runs in
DRIVER = "lectern_triton.higgs_engine.omni"
FRAMES = 60  # about so long they speak, whatever the text

if not os.environ.get(VLLM_PYTHON):
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def python() -> str:
    return os.environ[VLLM_PYTHON]


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Of all engines: what one start finds out about the models, the next one need not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LECTERN_ENGINE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("VLLM_CPU_CI_ENV", "1")  # nothing is compiled for minutes
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")  # GB, of each stage
        patch.setenv("VLLM_CPU_OMP_THREADS_BIND", "nobind")  # else both stages share one core
        yield


@pytest.fixture(scope="session")
def tiny_v2(tmp_path_factory: pytest.TempPathFactory, python: str) -> Path:
    """A folder with `model` and `codec`."""
    folder = tmp_path_factory.mktemp("tiny_v2")
    _make(python, "tests.higgs.random_v2", str(folder), "--published-ids", "--frames", str(FRAMES))
    return folder


@pytest.fixture(scope="session")
def tiny_v3(tmp_path_factory: pytest.TempPathFactory, python: str, tiny_v2: Path) -> Path:
    """A folder with `model` and `codec`, which is v2's."""
    folder = tmp_path_factory.mktemp("tiny_v3")
    _make(python, "tests.higgs.random_v3", str(folder / "model"), "--frames", str(FRAMES))
    (folder / "codec").symlink_to(tiny_v2 / "codec")
    return folder


@pytest.fixture(scope="module")
def v2(tmp_path_factory: pytest.TempPathFactory, python: str, tiny_v2: Path) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("v2")
    with running(python, DRIVER, arguments("v2", tiny_v2, folder), folder / "engine.log") as engine:
        yield engine


@pytest.fixture(scope="module")
def v3(tmp_path_factory: pytest.TempPathFactory, python: str, tiny_v3: Path) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("v3")
    with running(python, DRIVER, arguments("v3", tiny_v3, folder), folder / "engine.log") as engine:
        yield engine


def _make(python: str, module: str, *given: str) -> None:
    command = [python, "-m", module, *given]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)

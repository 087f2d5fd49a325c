"""The session that the stand-in for NVIDIA's backend opens; onnxruntime is in this environment and in the models'."""

import logging
import os
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from lectern_triton.onnxruntime_backend.session import SHRINK, NoDevice, open_session, provider_options

ROOT = Path(__file__).parents[2]

TINY = ROOT / "tests" / "models" / "kokoro_tiny" / "model.onnx"


def config(**parameters: str) -> dict[str, Any]:
    return {"parameters": {name: {"string_value": value} for name, value in parameters.items()}}


def test_it_uses_the_processors_that_it_may() -> None:
    session, _ = open_session(TINY, config(), "CPU")
    assert session.get_session_options().intra_op_num_threads == len(os.sched_getaffinity(0))
    assert session.get_providers() == ["CPUExecutionProvider"]


def test_options_are_those_of_the_config() -> None:
    parameters = {"intra_op_thread_count": "1", "enable_mem_arena": "0", SHRINK: "cpu:0"}
    level = {"optimization": {"graph": {"level": "1"}}}
    session, run_options = open_session(TINY, config(**parameters) | level, "CPU")
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.enable_cpu_mem_arena) == (1, False)
    assert options.graph_optimization_level == onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    assert run_options.get_run_config_entry(SHRINK) == "cpu:0"


def test_an_unknown_parameter_is_told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.root.manager, "disable", logging.NOTSET)  # which `make kokoro` sets
    open_session(TINY, config(shouting="1"), "CPU")
    assert "shouting" in caplog.text


@pytest.mark.parametrize(
    ("value", "search"), [(None, "EXHAUSTIVE"), ("0", "EXHAUSTIVE"), ("1", "HEURISTIC"), ("2", "DEFAULT")]
)
def test_the_search_for_convolutions_is_nvidias(value: str | None, search: str) -> None:
    parameters = {} if value is None else {"cudnn_conv_algo_search": value}
    assert provider_options(parameters) == {"cudnn_conv_algo_search": search}


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="there is a GPU")
def test_without_a_gpu_a_config_for_one_says_what_to_do() -> None:
    with pytest.raises(NoDevice, match="GPU=1 make install"):
        open_session(TINY, config(), "GPU")


def test_no_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no model at"):
        open_session(tmp_path / "model.onnx", config(), "CPU")

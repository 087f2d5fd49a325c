"""Opens a model with the options that NVIDIA's backend also reads from config.pbtxt."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import onnxruntime

# As NVIDIA's backend: -1 basic, 0 or unset all, 1 extended; 2 means "disable everything".
_OPTIMIZATION: Final = {
    -1: onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    0: onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
    1: onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    2: onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
}
_PROVIDERS: Final = {"CPU": "CPUExecutionProvider", "GPU": "CUDAExecutionProvider"}
SHRINK: Final = "memory.enable_memory_arena_shrinkage"
SEARCH: Final = "cudnn_conv_algo_search"
_SEARCHES: Final = ("EXHAUSTIVE", "HEURISTIC", "DEFAULT")
_KNOWN: Final = (
    "intra_op_thread_count", "inter_op_thread_count", "execution_mode", "enable_mem_arena", "enable_mem_pattern",
    SHRINK, SEARCH,
)  # fmt: skip

log = logging.getLogger(__name__)


class NoDevice(Exception):  # noqa: N818 - it names a state of affairs
    """The config asks for a device that this ONNX Runtime does not have."""


def open_session(
    file: Path, config: Mapping[str, Any], device: str
) -> tuple[onnxruntime.InferenceSession, onnxruntime.RunOptions]:
    """Returns a session for `device`, CPU or GPU, and the options of each run.

    Raises NoDevice, FileNotFoundError, and ONNX Runtime's errors for a file that is not a model.
    """
    if not file.is_file():
        raise FileNotFoundError(f"there is no model at {file}")
    parameters = {name: value["string_value"] for name, value in config.get("parameters", {}).items()}
    for unknown in parameters.keys() - set(_KNOWN):
        log.warning("the parameter %s is not known and changes nothing", unknown)
    provider = _PROVIDERS[device]
    if provider not in onnxruntime.get_available_providers():
        raise NoDevice(
            f"this ONNX Runtime has no {provider}: install docker/locks/gpu.txt (GPU=1 make install), or use KIND_CPU"
        )
    providers: list[Any] = [provider]
    if device == "GPU":
        onnxruntime.preload_dlls()  # CUDA and cuDNN come as wheels, which the loader does not search
        providers = [(provider, provider_options(parameters)), _PROVIDERS["CPU"]]
    run_options = onnxruntime.RunOptions()
    if SHRINK in parameters:
        run_options.add_run_config_entry(SHRINK, parameters[SHRINK])
    session = onnxruntime.InferenceSession(str(file), _options(parameters, config), providers=providers)
    if provider not in session.get_providers():
        # ONNX Runtime only logs this, and goes on with the other providers.
        raise NoDevice(f"{provider} cannot be used here: Triton's log says why; look at the GPU's driver")
    return session, run_options


def provider_options(parameters: Mapping[str, str]) -> dict[str, str]:
    """Returns the options of the provider for GPUs."""
    return {SEARCH: _SEARCHES[int(parameters.get(SEARCH, 0))]}


def _options(parameters: Mapping[str, str], config: Mapping[str, Any]) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    threads = int(parameters.get("intra_op_thread_count", 0))
    # The CPUs that this process may use: in a container they are fewer than ONNX Runtime counts.
    options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
    options.inter_op_num_threads = int(parameters.get("inter_op_thread_count", 0))
    if parameters.get("execution_mode") == "1":
        options.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
    # While an operator uses one thread, the others would spin until the next one: on a busy machine that took a third
    # of all processor time and made nothing faster. NVIDIA's backend has no parameter for it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = parameters.get("enable_mem_arena", "1") != "0"
    options.enable_mem_pattern = parameters.get("enable_mem_pattern", "1") != "0"
    level = int(config.get("optimization", {}).get("graph", {}).get("level", 0))
    options.graph_optimization_level = _OPTIMIZATION[level]
    return options

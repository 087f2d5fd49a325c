"""Workers: vLLM-Omni's runners over vLLM's CPU worker."""

import torch
from vllm.config import VllmConfig
from vllm.v1.worker.cpu_model_runner import CPUModelRunner, _torch_cuda_wrapper
from vllm.v1.worker.cpu_worker import CPUWorker
from vllm_omni.worker.gpu_ar_model_runner import GPUARModelRunner
from vllm_omni.worker.gpu_generation_model_runner import GPUGenerationModelRunner
from vllm_omni.worker.mixins import OmniWorkerMixin

if not torch.cuda.is_available():
    torch.cuda.is_current_stream_capturing = lambda: False  # vLLM-Omni asks; torch for CPUs does not have it


class _OnCpu:
    """Before vLLM-Omni's runner in the order of bases: what it makes for a GPU is made for a CPU."""

    def __init__(self, vllm_config: VllmConfig, device: torch.device) -> None:
        with _torch_cuda_wrapper():
            super().__init__(vllm_config, device)  # type: ignore[call-arg]
        self._postprocess_tensors()  # type: ignore[attr-defined]


class TalkerRunner(_OnCpu, GPUARModelRunner, CPUModelRunner):  # type: ignore[misc]
    pass


class CodecRunner(_OnCpu, GPUGenerationModelRunner, CPUModelRunner):  # type: ignore[misc]
    pass


class _Worker(OmniWorkerMixin, CPUWorker):  # type: ignore[misc]
    model_runner_cls: type[CPUModelRunner]  # vLLM-Omni looks for it by this name

    def init_device(self) -> None:
        super().init_device()
        self.use_v2_model_runner = False
        self.model_runner = self.model_runner_cls(self.vllm_config, torch.device("cpu"))


class TalkerWorker(_Worker):
    model_runner_cls = TalkerRunner


class CodecWorker(_Worker):
    model_runner_cls = CodecRunner

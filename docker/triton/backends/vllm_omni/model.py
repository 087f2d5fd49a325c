"""Triton's backend `vllm_omni`: all of it is in the package lectern_triton."""

from lectern_triton.vllm_omni_backend.model import TritonPythonModel

__all__ = ["TritonPythonModel"]

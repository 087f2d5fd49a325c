"""Triton's backend `onnxruntime`: all of it is in the package lectern_triton."""

from lectern_triton.onnxruntime_backend.model import TritonPythonModel

__all__ = ["TritonPythonModel"]

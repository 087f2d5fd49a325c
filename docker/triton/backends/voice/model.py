"""Triton's backend `voice`: all of it is in the package lectern_triton."""

from lectern_triton.voice_backend.model import TritonPythonModel

__all__ = ["TritonPythonModel"]

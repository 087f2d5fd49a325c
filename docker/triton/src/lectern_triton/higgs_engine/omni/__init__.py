"""The driver for Higgs Audio v2 and v3 on vLLM-Omni."""

from lectern_triton.higgs_engine.omni.arguments import load

__all__ = ["load"]

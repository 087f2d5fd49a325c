"""Driver: Higgs Audio v2 and v3 by vLLM-Omni."""

from lectern_triton.higgs_engine.omni.loading import load

__all__ = ["load"]

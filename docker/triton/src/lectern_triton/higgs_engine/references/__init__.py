"""Recordings encoded once, for all requests that speak with the same voice."""

from lectern_triton.higgs_engine.references.disk import Disk, cache_folder
from lectern_triton.higgs_engine.references.references import References

__all__ = ["Disk", "References", "cache_folder"]

"""The direct client: speaks to the models in Triton over gRPC, for the orchestrator and internal tools.

Needs the extra ``lectern[triton]``. `Triton` and `AsyncTriton` have the same methods.
"""

try:
    from lectern.triton.aio import AsyncTriton
    from lectern.triton.sync import Triton
except (ModuleNotFoundError, RuntimeError) as error:  # tritonclient without grpc raises RuntimeError
    raise ImportError("lectern.triton needs numpy and tritonclient: pip install 'lectern[triton]'") from error

from lectern.triton.errors import (
    Busy,
    Cancelled,
    DeadlineExceeded,
    InvalidRequest,
    ModelFailure,
    ModelLost,
    NotFound,
    TritonError,
    Unreachable,
)
from lectern.triton.types import Card, CardVoice, Chunk, Mark, ModelInfo, Probe, Reference, SpeakOptions, TimedChunk

__all__ = [
    "AsyncTriton",
    "Busy",
    "Cancelled",
    "Card",
    "CardVoice",
    "Chunk",
    "DeadlineExceeded",
    "InvalidRequest",
    "Mark",
    "ModelFailure",
    "ModelInfo",
    "ModelLost",
    "NotFound",
    "Probe",
    "Reference",
    "SpeakOptions",
    "TimedChunk",
    "Triton",
    "TritonError",
    "Unreachable",
]

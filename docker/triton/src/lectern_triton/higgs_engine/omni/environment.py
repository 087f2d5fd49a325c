"""What vLLM, and what it starts, must find in the environment before it is imported."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

CACHE: Final = "LECTERN_ENGINE_CACHE"
"""One folder for all that a start makes and the next one need not make again: put it on a volume that is kept."""

# Each by the variable that its maker reads, as a folder in that one.
CACHES: Final = {
    "VLLM_CACHE_ROOT": "vllm",  # what torch compiled, kernels that were tuned, what is known of model classes
    "FLASHINFER_WORKSPACE_BASE": "flashinfer",  # attention kernels compiled at the first use
    "TRITON_CACHE_DIR": "triton",  # the language's, not the server's
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "CUDA_CACHE_PATH": "cuda",
}

ALWAYS: Final = {
    # Weights and codec are on disk; a start that fetches something behind our back waits for minutes, or for ever.
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1",  # the codec's stage counts each code as a token: 8 a frame
    "VLLM_USE_DEEP_GEMM": "0",  # kernels for 8-bit weights, compiled for minutes and not used
    "TOKENIZERS_PARALLELISM": "false",
}


def prepare(codec: Path) -> None:
    """Change this process's environment; what the operator set stays, but for the codec's place."""
    for name, value in (*ALWAYS.items(), *_caches()):
        os.environ.setdefault(name, value)
    os.environ["HIGGS_AUDIO_TOKENIZER_PATH"] = str(codec)


def _caches() -> Iterator[tuple[str, str]]:
    if folder := os.environ.get(CACHE):
        for name, part in CACHES.items():
            yield name, str(Path(folder).resolve() / part)

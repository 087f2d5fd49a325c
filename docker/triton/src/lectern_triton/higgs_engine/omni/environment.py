"""Sets the environment variables that vLLM and its processes read when they are imported."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

CACHE: Final = "LECTERN_ENGINE_CACHE"
"""The folder of all caches, so that a start reuses what the last one made: put it on a volume that is kept."""

# Variable to the folder in it.
CACHES: Final = {
    "VLLM_CACHE_ROOT": "vllm",  # what torch compiled, tuned kernels, facts about model classes
    "FLASHINFER_WORKSPACE_BASE": "flashinfer",  # attention kernels compiled at the first use
    "TRITON_CACHE_DIR": "triton",  # the language's, not the server's
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "CUDA_CACHE_PATH": "cuda",
}

ALWAYS: Final = {
    # Weights and codec are on disk. A download behind our back would delay the start by minutes, or for ever.
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1",  # the codec's stage counts each code as a token, 8 a frame
    "VLLM_USE_DEEP_GEMM": "0",  # kernels for 8-bit weights, which take minutes to compile and are not used
    "TOKENIZERS_PARALLELISM": "false",
}


def prepare(codec: Path) -> None:
    """Sets the variables of this process. Those that the operator set stay, but for the path of the codec."""
    for name, value in (*ALWAYS.items(), *_caches()):
        os.environ.setdefault(name, value)
    os.environ["HIGGS_AUDIO_TOKENIZER_PATH"] = str(codec)


def _caches() -> Iterator[tuple[str, str]]:
    if folder := os.environ.get(CACHE):
        for name, part in CACHES.items():
            yield name, str(Path(folder).resolve() / part)

"""The start. Most of it is waiting for processes that import everything once more; the codec is read meanwhile."""

import asyncio
import contextlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from transformers import AutoTokenizer
from vllm.config import VllmConfig
from vllm_omni.entrypoints.async_omni import AsyncOmni
from vllm_omni.platforms import current_omni_platform

from lectern_triton.higgs_engine.codec import Codec
from lectern_triton.higgs_engine.driver import OutOfFrames, Phase
from lectern_triton.higgs_engine.omni.beside import Beside
from lectern_triton.higgs_engine.omni.families import V2, V3, Family
from lectern_triton.higgs_engine.omni.speech import Speech
from lectern_triton.higgs_engine.prompts import v2, v3
from lectern_triton.higgs_engine.references import Disk, References, cache_folder
from lectern_triton.higgs_engine.wire import RATE, Clip, Sampling, Speak

WORKER: Final = "lectern_triton.higgs_engine.omni.worker.OwnTalker"
MEMORY: Final = 64 << 20  # bytes of encoded references: 45 hours of them
DISK: Final = 256 << 20  # bytes
WARM_UP: Final = Speak(
    id=0,
    text="The first sentence is heard by nobody.",
    reference=Clip(
        (np.random.default_rng(0).normal(size=4 * RATE) * 1000).astype("<i2").tobytes(),
        "Four seconds of noise.",
    ),
    sampling=Sampling(temperature=1.0, top_p=0.95, top_k=50, seed=0),
    max_frames=50,
)


def start(arguments: Mapping[str, Any], codec_folder: Path, *, is_v3: bool, phase: Phase) -> Speech:
    model = Path(arguments["model"])
    with ThreadPoolExecutor(1, "codec") as meanwhile:
        read = meanwhile.submit(_read, model, codec_folder, is_v3=is_v3, phase=phase)
        with phase("engine"):
            omni = AsyncOmni(**arguments)
        try:
            _check(omni.engine.stage_vllm_configs[0])
            codec, family = read.result()
            # Only now: what another process takes while the engine measures the memory that is free confuses it.
            with phase("codec to device"):
                codec.model.to(current_omni_platform.get_torch_device())
            references = References(codec.encode, codec.identity, Disk(cache_folder(), DISK), MEMORY)
            speech = Speech(omni, Beside("vllm"), family, references, f"vllm-omni {version('vllm-omni')}")
            with phase("warm-up"):
                asyncio.run(_warm_up(speech))
        except BaseException:
            omni.shutdown()
            raise
    return speech


def _check(talker: VllmConfig) -> None:
    """Raises ValueError for what would make it speak wrongly without another word."""
    if talker.scheduler_config.enable_chunked_prefill:
        raise ValueError("the deploy file must say enable_chunked_prefill: false, or prompts lose their references")
    if talker.parallel_config.worker_extension_cls != WORKER:
        raise ValueError(
            f"the deploy file's first stage must say worker_extension_cls: {WORKER}, or requests disturb one another"
        )


def _read(model: Path, codec_folder: Path, *, is_v3: bool, phase: Phase) -> tuple[Codec, Family]:
    with phase("codec"):
        codec = Codec(codec_folder, "cpu")
    with phase("prompts"):
        if is_v3:
            return codec, V3(v3.Prompts(AutoTokenizer.from_pretrained(model, local_files_only=True)))
        return codec, V2(v2.Prompts(model, codec.model))


async def _warm_up(speech: Speech) -> None:
    """With a reference, so that no listener waits for what the first one of them all makes ready."""
    with contextlib.suppress(OutOfFrames):
        async for _ in speech.speak(WARM_UP):
            pass

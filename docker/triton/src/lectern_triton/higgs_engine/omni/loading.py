"""Starts vLLM-Omni. Most of that is processes that import everything again; the codec is read meanwhile."""

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
from lectern_triton.higgs_engine.messages import RATE, Recording, Sampling, Speak
from lectern_triton.higgs_engine.omni.driver import OmniDriver
from lectern_triton.higgs_engine.omni.families import V2, V3, Family
from lectern_triton.higgs_engine.omni.loop_thread import LoopThread
from lectern_triton.higgs_engine.prompts import v2, v3
from lectern_triton.higgs_engine.references.cache import ReferenceCache
from lectern_triton.higgs_engine.references.disk import DiskCache, cache_folder

EXTENSION: Final = "lectern_triton.higgs_engine.omni.worker_extension.TalkerExtension"
MEMORY: Final = 64 << 20  # bytes of encoded references: 45 hours of them
DISK: Final = 256 << 20  # bytes
WARM_UP: Final = Speak(
    id=0,
    text="The first sentence is heard by nobody.",
    reference=Recording(
        (np.random.default_rng(0).normal(size=4 * RATE) * 1000).astype("<i2").tobytes(),
        "Four seconds of noise.",
    ),
    sampling=Sampling(temperature=1.0, top_p=0.95, top_k=50, seed=0),
    max_frames=50,
)


def start(arguments: Mapping[str, Any], codec_folder: Path, *, is_v3: bool, phase: Phase) -> OmniDriver:
    model = Path(arguments["model"])
    with ThreadPoolExecutor(1, "codec") as thread:
        read = thread.submit(_read, model, codec_folder, is_v3=is_v3, phase=phase)
        with phase("engine"):
            omni = AsyncOmni(**arguments)
        try:
            _check(omni.engine.stage_vllm_configs[0])
            codec, family = read.result()
            # Not earlier: the engine measures free memory, and must not see what another process takes meanwhile.
            with phase("codec to device"):
                codec.model.to(current_omni_platform.get_torch_device())
            references = ReferenceCache(codec.encode, codec.identity, DiskCache(cache_folder(), DISK), MEMORY)
            driver = OmniDriver(omni, LoopThread("vllm"), family, references, f"vllm-omni {version('vllm-omni')}")
            with phase("warm-up"):
                asyncio.run(_warm_up(driver))
        except BaseException:
            omni.shutdown()
            raise
    return driver


def _check(talker: VllmConfig) -> None:
    """Raises ValueError for a configuration with which it would speak wrongly and report nothing."""
    if talker.scheduler_config.enable_chunked_prefill:
        raise ValueError("the deploy file must say enable_chunked_prefill: false, or prompts lose their references")
    if talker.parallel_config.worker_extension_cls != EXTENSION:
        raise ValueError(
            f"the deploy file's first stage must say worker_extension_cls: {EXTENSION}, or requests disturb one another"
        )


def _read(model: Path, codec_folder: Path, *, is_v3: bool, phase: Phase) -> tuple[Codec, Family]:
    with phase("codec"):
        codec = Codec(codec_folder, "cpu")
    with phase("prompts"):
        if is_v3:
            return codec, V3(v3.Prompts(AutoTokenizer.from_pretrained(model, local_files_only=True)))
        return codec, V2(v2.Prompts(model, codec.model))


async def _warm_up(driver: OmniDriver) -> None:
    """Speaks once with a reference, so that the first real request does not wait for what that initializes."""
    with contextlib.suppress(OutOfFrames):
        async for _ in driver.speak(WARM_UP):
            pass

"""Loads codec, tokenizer and weights, and warms them up."""

import logging
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from threading import Event
from typing import Any, Final

import numpy as np
import torch

from lectern_triton.higgs_engine.codec import Codec
from lectern_triton.higgs_engine.driver import Phase
from lectern_triton.higgs_engine.messages import RATE, Sampling
from lectern_triton.higgs_engine.prompts.v2 import Prompts, Spoken
from lectern_triton.higgs_engine.references.cache import ReferenceCache
from lectern_triton.higgs_engine.references.disk import DiskCache, cache_folder
from lectern_triton.higgs_engine.transformers.arguments import read_arguments
from lectern_triton.higgs_engine.transformers.driver import TransformersDriver
from lectern_triton.higgs_engine.transformers.talker import Talker

MB: Final = 1 << 20
WARM_FRAMES: Final = 25

log = logging.getLogger(__name__)


def load_driver(given: Mapping[str, Any], phase: Phase) -> TransformersDriver:
    arguments = read_arguments(given)
    device = arguments.device or ("cuda" if torch.cuda.is_available() else "cpu")
    on_cpu = torch.device(device).type == "cpu"
    dtype = "float32" if arguments.dtype == "auto" and on_cpu else arguments.dtype
    with phase("codec"):
        codec = Codec(Path(arguments.codec), device)
    with phase("tokenizer"):
        prompts = Prompts(Path(arguments.model), codec.model)
    with phase("weights"):
        talker = Talker(Path(arguments.model), device, dtype)
    if arguments.warm_up:
        with phase("warm-up"):
            warm_up(codec, prompts, talker)
    folder = Path(arguments.references) if arguments.references else cache_folder()
    log.info("transformers %s on %s, %s; references are cached in %s", version("transformers"), device, dtype, folder)
    disk = DiskCache(folder, arguments.references_disk_mb * MB)
    references = ReferenceCache(codec.encode, codec.identity, disk, arguments.references_memory_mb * MB)
    return TransformersDriver(talker, codec, prompts, references, arguments.max_model_len)


def warm_up(codec: Codec, prompts: Prompts, talker: Talker) -> None:
    """Does all that a request with a reference does, so that kernels are chosen and memory is allocated now."""
    noise = (1_000 * np.random.default_rng(0).standard_normal(3 * RATE)).astype("<i2").tobytes()
    prompt = prompts.build("Ready?", "Audio is recorded from a quiet room.", [Spoken("Noise.", codec.encode(noise))])
    sampling = Sampling(temperature=1, top_p=0.95, top_k=50, seed=0)
    talker.talk(prompt, sampling, WARM_FRAMES, lambda _: None, Event())
    codec.decode(np.zeros((WARM_FRAMES, 8), np.int16))

"""Reads the arguments in `1/model.json` for vLLM-Omni, and prepares the environment before it is imported."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lectern_triton.higgs_engine.driver import Driver, Phase
from lectern_triton.higgs_engine.omni import environment

V2: Final = "higgs_audio_v2"
V3: Final = "higgs_multimodal_qwen3"
DEPLOY: Final = {V2: "1/v2.yaml", V3: "1/v3.yaml"}


def load(arguments: Mapping[str, Any], phase: Phase) -> Driver:
    """Loads the model. `arguments` are those of AsyncOmni and `codec`, a folder; relative paths start at the model's.

    Without `deploy_config`, the checkpoint's type decides which of our two is used.
    """
    given = dict(arguments)
    model = _existing("model", given.get("model", "weights"))
    codec = _existing("codec", given.pop("codec", "codec"))
    kind = json.loads((model / "config.json").read_text()).get("model_type")
    if kind not in DEPLOY:
        raise ValueError(f"{model} holds a model of type {kind}, not {' or '.join(DEPLOY)}")
    deploy = _existing("deploy_config", given.get("deploy_config", DEPLOY[kind]))
    given |= {"model": str(model), "deploy_config": str(deploy)}
    if kind == V2:
        # vLLM-Omni finds the decoder by this name, on a hub unless it is a folder, and the encoder by the environment.
        given["hf_overrides"] = {**given.get("hf_overrides", {}), "audio_tokenizer_id": str(codec)}
    environment.prepare(codec)
    with phase("import"):
        from lectern_triton.higgs_engine.omni.loading import start  # noqa: PLC0415 - after the environment is prepared
    return start(given, codec, is_v3=kind == V3, phase=phase)


def _existing(name: str, path: str | Path) -> Path:
    found = Path(path).resolve()
    if not found.exists():
        raise FileNotFoundError(f"{name}: {found} is not there")
    return found

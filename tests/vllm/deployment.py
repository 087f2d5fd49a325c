"""The deploy files that we ship, for a CPU."""

import json
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "model_repository" / "higgs" / "1"
CPU = {"gpu_memory_utilization": 0.25, "max_num_seqs": 4, "attention_backend": None, "attention_config": None}
LENGTHS = (1024, 8192)  # tokens, of each stage


def deployed(family: str) -> dict[str, Any]:
    given: dict[str, Any] = yaml.safe_load((SHIPPED / f"{family}.yaml").read_text())
    for stage, length in zip(given["stages"], LENGTHS, strict=True):
        stage.update(CPU, max_model_len=length, max_num_batched_tokens=4 * length)
        for name in [name for name, value in stage.items() if value is None]:
            del stage[name]
    return {**given, "dtype": "float32"}


def arguments(family: str, checkpoint: Path, folder: Path) -> dict[str, Any]:
    """Those of the `model.json` that we ship, with a deploy file in this folder."""
    deploy = written(folder / f"{family}.yaml", deployed(family))  # JSON is YAML too
    shipped: dict[str, Any] = json.loads((SHIPPED / "model.json").read_text())
    folders = {"model": str(checkpoint / "model"), "codec": str(checkpoint / "codec")}
    return {**shipped, **folders, "deploy_config": str(deploy)}


def written(file: Path, content: dict[str, Any]) -> Path:
    file.write_text(json.dumps(content, indent=1))
    return file

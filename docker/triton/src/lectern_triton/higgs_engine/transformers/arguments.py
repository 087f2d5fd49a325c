"""What `1/model.json` may say. Names are those of vLLM's own arguments where it has the same."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Positive = Annotated[int, Meta(ge=1)]


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Relative folders count from the model's own."""

    model: str = "weights"
    codec: str = "codec"
    device: str = ""
    """As torch names it; left out: a GPU if there is one."""
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """Of the weights; auto: as they are on a GPU, float32 on a CPU, where less is slower."""
    max_model_len: Positive = 4096
    """Positions that a prompt and its speech may take together."""
    references: str = ""
    """Where encoded references are kept; left out: see `cache_folder`."""
    references_memory_mb: Positive = 64
    references_disk_mb: Positive = 256
    warm_up: bool = True
    """Speak once before the first request comes."""


def read_arguments(given: Mapping[str, Any]) -> Arguments:
    """Raises ValueError with what to change."""
    try:
        arguments = msgspec.convert(dict(given), Arguments)
    except msgspec.ValidationError as error:
        raise ValueError(f"an argument in model.json is not what it must be: {error}") from None
    for folder in (arguments.model, arguments.codec):
        if not (Path(folder) / "config.json").is_file():
            raise ValueError(f"there is no checkpoint in {Path(folder).resolve()}: `make higgs` puts it there")
    return arguments

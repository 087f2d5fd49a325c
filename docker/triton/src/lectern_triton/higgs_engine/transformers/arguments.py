"""The arguments in `1/model.json`. Names are those of vLLM where it has the same argument."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Positive = Annotated[int, Meta(ge=1)]


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Relative folders start at the model's."""

    model: str = "weights"
    codec: str = "codec"
    device: str = ""
    """A name of torch. Empty: a GPU if there is one."""
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """The type of the weights. auto: as stored on a GPU, float32 on a CPU, where smaller types are slower."""
    max_model_len: Positive = 4096
    """The most positions of a prompt and its speech together."""
    references: str = ""
    """The folder for encoded references. Empty: see `cache_folder`."""
    references_memory_mb: Positive = 64
    references_disk_mb: Positive = 256
    warm_up: bool = True
    """Whether to speak once before the first request."""


def read_arguments(given: Mapping[str, Any]) -> Arguments:
    """Raises ValueError, which says what to change."""
    try:
        arguments = msgspec.convert(dict(given), Arguments)
    except msgspec.ValidationError as error:
        raise ValueError(f"an argument in model.json is not what it must be: {error}") from None
    for folder in (arguments.model, arguments.codec):
        if not (Path(folder) / "config.json").is_file():
            raise ValueError(f"there is no checkpoint in {Path(folder).resolve()}: `make higgs` puts it there")
    return arguments

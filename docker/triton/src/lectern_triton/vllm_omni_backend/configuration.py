"""Reads the model's parameters in config.pbtxt and the engine's arguments in `1/model.json`."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

ENGINE_PYTHON: Final = "LECTERN_ENGINE_PYTHON"
MODEL_JSON: Final = "model.json"

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Temperature = Annotated[float, Meta(ge=0, le=2)]
Share = Annotated[float, Meta(gt=0, le=1)]
TopK = Annotated[int, Meta(ge=1, le=1_000)]
Seed = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class ConfigurationError(Exception):
    """The model's configuration is wrong; the message says what to change."""


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    engine: Annotated[str, Meta(min_length=1)] = "lectern_triton.higgs_engine.omni"
    """The module of the engine's driver."""
    engine_python: str = ""
    """The interpreter of the engine's environment. Empty: that in LECTERN_ENGINE_PYTHON, or python3."""
    concurrency: Annotated[int, Meta(ge=1, le=256)] = 4
    """Requests that the engine speaks at the same time."""
    live_queue: Annotated[int, Meta(ge=0)] = 64
    batch_queue: Annotated[int, Meta(ge=0)] = 256
    needs: str = ""
    """Models to load with this one, for the program that starts Triton."""
    scene: str = ""
    temperature: Temperature = 0.4
    top_p: Share = 0.95
    top_k: TopK = 50
    seed: Seed = 42
    frames_per_character: Annotated[float, Meta(gt=0, le=1_000)] = 5
    """Frames of audio, 25 a second, that a letter may take at most."""
    most_frames: Annotated[int, Meta(ge=1)] = 1_024
    """Frames of audio that the model can make for one request."""
    longest_reference: Annotated[float, Meta(gt=0, le=60)] = 60
    """Seconds that a reference or the previous speech may last."""
    presets: str = "presets"
    """The folder of the preset voices, relative to the model's."""
    default_voice: str = ""
    """The preset for requests that name none. Empty: the first by name."""
    probe_timeout: Seconds = 4
    silence_timeout: Seconds = 3
    """These two are limits by which the guard goes."""
    stuck_timeout: Seconds = 60
    """Seconds without any progress after which the backend tells requests that the model hangs."""
    load_timeout: Seconds = 900
    """Seconds until the engine must be ready."""
    stall_timeout: Seconds = 120
    """Seconds without audio after which a request counts as lost."""
    health_interval: Seconds = 3
    """Seconds between two health checks of the engine."""
    health_limit: Seconds = 20
    """Seconds in which the engine must answer a health check; otherwise it is restarted."""


def read_configuration(parameters: Mapping[str, str]) -> Configuration:
    """Reads the parameters of config.pbtxt, without Triton's own, whose names are in capitals.

    Raises ConfigurationError.
    """
    ours = {name: value for name, value in parameters.items() if not name.isupper()}
    try:
        return msgspec.convert(ours, Configuration, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"a parameter in config.pbtxt is not what it must be: {error}") from None


def read_arguments(folder: Path) -> dict[str, Any]:
    """Reads the engine's arguments from the folder of a version. Raises ConfigurationError."""
    file = folder / MODEL_JSON
    try:
        arguments = json.loads(file.read_text())
    except FileNotFoundError:
        raise ConfigurationError(f"{file} is missing: it holds the engine's arguments, a JSON object") from None
    except ValueError as error:
        raise ConfigurationError(f"{file} is not valid JSON: {error}") from None
    if not isinstance(arguments, dict):
        raise ConfigurationError(f"{file} must hold a JSON object with the engine's arguments")
    return arguments


def find_python(configuration: Configuration, environment: Mapping[str, str] = os.environ) -> str:
    """Returns the path of the engine's interpreter. Raises ConfigurationError if it does not exist."""
    named = configuration.engine_python or environment.get(ENGINE_PYTHON) or "python3"
    found = shutil.which(named, path=environment.get("PATH"))
    if found is None:
        raise ConfigurationError(
            f"there is no interpreter {named} for the engine: correct the parameter engine_python or {ENGINE_PYTHON}"
        )
    return found

"""A Higgs model without weights: the real configuration and backend, with a fake engine and presets that hum."""

import json
import re
import shutil
import wave
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).parents[1]
REAL = ROOT / "model_repository" / "higgs"
FAKE = ROOT / "tests" / "models" / "fake_higgs"
PRESETS = {"high": 330, "low": 150}  # Hz; the first speaks when none is asked for
PARAMETERS = {"engine": "fake_driver", "most_frames": "20000", "health_interval": "0.5"}


def install(repository: Path, name: str = "higgs", *, presets: bool = True, **changes: Any) -> Path:
    """Makes a model of this name; `changes`: of the engine's arguments, or of the parameters that have such a name."""
    model = repository / name
    if model.is_symlink():
        model.unlink()
    version = model / "1"
    version.mkdir(parents=True)
    config = (REAL / "config.pbtxt").read_text().replace('name: "higgs"', f'name: "{name}"')
    known = {**PARAMETERS, "health_limit": "", "stall_timeout": "", "load_timeout": "", "concurrency": ""}
    known |= {"live_queue": "", "engine_python": "", "default_voice": "", "longest_reference": "", "temperature": ""}
    parameters = {**PARAMETERS, **{key: str(value) for key, value in changes.items() if key in known}}
    for key, value in parameters.items():
        config = set_parameter(config, key, value)
    (model / "config.pbtxt").write_text(config)
    arguments = {key: value for key, value in changes.items() if key not in known}
    (version / "model.json").write_text(json.dumps(arguments))
    shutil.copyfile(FAKE / "fake_driver.py", version / "fake_driver.py")
    (model / "card.json").write_text('{"version": "fake-weights"}')
    for preset, hertz in PRESETS.items() if presets else ():
        write_preset(model / "presets" / preset, hum(hertz, 16_000), 16_000)
    return model


def set_parameter(config: str, key: str, value: str) -> str:
    """Change a parameter of a config.pbtxt, or add it."""
    line = f'{{ key: "{key}" value {{ string_value: "{value}" }} }}'
    changed, count = re.subn(rf'\{{ key: "{key}"\s+value \{{ string_value: "[^"]*" \}} \}}', line, config)
    return changed if count else config.replace("parameters [", f"parameters [\n  {line},")


def write_preset(folder: Path, samples: npt.NDArray[np.int16], rate: int) -> None:
    folder.mkdir(parents=True)
    with wave.open(str(folder / "audio.wav"), "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(rate)
        audio.writeframes(samples.tobytes())
    (folder / "voice.toml").write_text(f'transcript = "A hum."\nlanguage = "en"\ndescription = "hums {folder.name}"\n')


def hum(hertz: float, rate: int, seconds: float = 1.0) -> npt.NDArray[np.int16]:
    time = np.arange(round(rate * seconds)) / rate
    samples: npt.NDArray[np.int16] = np.rint(8_000 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)
    return samples


def pitch(samples: npt.NDArray[np.int16], rate: int = 24_000) -> float:
    """Of the loudest tone, in Hz, to about 1 / seconds."""
    heard = samples.astype(np.float64)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(heard.size)))
    return float(np.argmax(spectrum) * rate / heard.size)

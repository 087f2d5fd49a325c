"""What upstream publishes: the model of the package `kokoro`, its voices, and its vocabulary.

The model is built from its configuration, with a checkpoint's weights if given. The packed model is compared with it.
"""

import copy
import importlib.util
import json
import math
import sys
import tempfile
import tomllib
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from kokoro_export.harmonic_source import HARMONICS, HarmonicSource
from kokoro_export.input_limits import NOISE_ENTRIES

ARCHITECTURE = Path(__file__).with_name("architecture.json")  # config.json of hexgrad/Kokoro-82M
SENTENCES = Path(__file__).with_name("sentences.txt")  # a line is a sentence in Kokoro's phonemes
STYLE_ROWS: Final = 510
STYLE_COLUMNS: Final = 256
LOCK: Final = Path(__file__).with_name("weights.lock.toml")

StyleTable = npt.NDArray[np.float32]
_EDGE: Final = 1e-5  # of the magnitude: a smaller imaginary part is rounding


class NotAVoice(Exception):  # noqa: N818 - it names a state of affairs
    """The file holds something else."""


def architecture() -> dict[str, Any]:
    return dict(json.loads(ARCHITECTURE.read_text()))


def kmodel_class() -> Any:  # noqa: ANN401 - upstream has no types
    """Returns `KModel` without running the package's own `__init__`, which loads spaCy and all of its G2P."""
    if "kokoro" not in sys.modules:
        spec = importlib.util.find_spec("kokoro")
        if spec is None or spec.submodule_search_locations is None:
            raise ModuleNotFoundError("the package kokoro is not installed here")
        package = types.ModuleType("kokoro")
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules["kokoro"] = package
    return importlib.import_module("kokoro.model").KModel


def build(config: Mapping[str, Any], checkpoint: Path | None = None) -> Any:  # noqa: ANN401
    """Builds the model with its true (complex) Fourier transform; without a checkpoint it has torch's random weights.

    Raises what `torch.load` does for a damaged checkpoint; runs no code of it.
    """
    # Without gradients from the start: a weight that was normalised with them cannot be copied.
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        if checkpoint is None:
            checkpoint = Path(folder) / "none.pth"
            torch.save({}, checkpoint)
        model = kmodel_class()(repo_id="hexgrad/Kokoro-82M", config=dict(config), model=str(checkpoint))
    return model.eval().requires_grad_(requires_grad=False)


def calibration_sentences() -> list[npt.NDArray[np.int64]]:
    """Returns the ids of our own sentences, which calibrate int8 and check each export, with a 0 at both ends."""
    vocabulary = architecture()["vocab"]
    lines = SENTENCES.read_text().splitlines()
    return [np.array([0, *(vocabulary[sign] for sign in line), 0], np.int64) for line in lines]


def published_voices() -> list[str]:
    return [Path(name).stem for name in tomllib.loads(LOCK.read_text())["sha256"] if name.startswith("voices/")]


def read_published_voice(file: Path) -> StyleTable:
    """Reads the style table [510, 256] of a published voice. Raises NotAVoice; runs no code of the file."""
    table = torch.load(file, map_location="cpu", weights_only=True)
    if (
        not isinstance(table, torch.Tensor)
        or table.shape != (STYLE_ROWS, 1, STYLE_COLUMNS)
        or not torch.isfinite(table).all()
    ):
        raise NotAVoice(f"{file} is no voice: a finite tensor of {STYLE_ROWS} x 1 x {STYLE_COLUMNS} is one")
    return table.squeeze(1).to(torch.float32).numpy()


class UpstreamReference:
    """Speaks one text at a time with upstream's `KModel`, in double precision.

    Upstream leaves three things to chance or rounding, which are set here as in the packed model: the noise, the sign
    of a phase of half a turn, and a window in single precision, which is not quite symmetric.
    """

    def __init__(self, kmodel: Any, source: HarmonicSource) -> None:  # noqa: ANN401 - upstream has no types
        self._model = copy.deepcopy(kmodel).double()
        stft = self._model.decoder.generator.stft
        stft.window = torch.hann_window(len(stft.window), periodic=True, dtype=torch.float64)
        weight = source.merge.weight.double().view(-1)
        self._noise = source.noise.double() / weight.norm() ** 2
        self._weight = weight

    def speak(self, ids: Tensor, style: Tensor, speed: float, noise_offset: int) -> tuple[Tensor, Tensor]:
        """Ids [T], style [256] -> waveform [S] and durations [T]."""
        with self._deterministic(noise_offset):
            waveform, durations = self._model.forward_with_tokens(ids.unsqueeze(0), style.double().unsqueeze(0), speed)
        return waveform, durations

    @contextmanager
    def _deterministic(self, offset: int) -> Iterator[None]:
        def noise_like(like: Tensor) -> Tensor:
            if like.shape[-1] != HARMONICS:
                return torch.zeros_like(like)
            position = (torch.arange(like.shape[1]) + offset) % NOISE_ENTRIES
            return self._noise[position].view(1, -1, 1) * self._weight.view(1, 1, -1)

        def angle(spectrum: Tensor) -> Tensor:
            imaginary = spectrum.imag
            at_edge = imaginary.abs() <= spectrum.abs() * _EDGE
            phase = torch.atan2(torch.where(at_edge, torch.zeros_like(imaginary), imaginary), spectrum.real)
            return torch.where(at_edge & (spectrum.real < 0), torch.full_like(phase, math.pi), phase)

        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        try:
            with patch("torch.randn_like", noise_like), patch("torch.angle", angle):
                yield
        finally:
            torch.set_default_dtype(before)

"""Upstream's own model as the reference: in double precision, with the packed model's noise and sure edges."""

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from kokoro_export.limits import NOISE_ENTRIES
from kokoro_export.source import HARMONICS, HarmonicSource

_EDGE = 1e-5  # of the magnitude: a smaller imaginary part is rounding


class Reference:
    """Speaks one text at a time with upstream's `KModel`.

    Three things of upstream are left to chance or rounding, and are set as the packed model sets them: the noise, the
    sign of a phase of half a turn, and a window in single precision, which is not quite symmetric.
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
        with self._settled(noise_offset):
            waveform, durations = self._model.forward_with_tokens(ids.unsqueeze(0), style.double().unsqueeze(0), speed)
        return waveform, durations

    @contextmanager
    def _settled(self, offset: int) -> Iterator[None]:
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

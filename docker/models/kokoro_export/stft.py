"""The short-time Fourier transform and its true inverse as convolutions: 20 samples a window, 5 a hop.

Upstream's exports use `CustomSTFT`, which is neither: it has a gain of 0.83 and repeats the edge instead of reflecting.
"""

import math
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor, nn

from kokoro_export.batch_packing import Packing
from kokoro_export.harmonic_source import SAMPLES_A_FRAME

WINDOW: Final = 20
HOP: Final = 5
BINS: Final = WINDOW // 2 + 1
EDGE: Final = WINDOW // 2
OVERLAP: Final = 1.5  # the sum of the squared windows over any sample away from the edges


def _waves() -> tuple[Tensor, Tensor]:
    """Returns the windowed cosines and sines of each bin, [11, 20]; those that are zero in theory are exactly zero."""
    angle = 2 * math.pi * torch.outer(torch.arange(BINS, dtype=torch.float64), torch.arange(WINDOW)) / WINDOW
    window = torch.hann_window(WINDOW, periodic=True, dtype=torch.float64)
    sines = torch.sin(angle) * window
    sines[0] = sines[-1] = 0
    return torch.cos(angle) * window, sines


class Analysis(nn.Module):
    """audio [N, S] of `samples` [N] each -> magnitude and phase, [N, 22, S / 5 + 1]."""

    def __init__(self) -> None:
        super().__init__()
        cosines, sines = _waves()
        self.register_buffer("waves", torch.cat([cosines, -sines]).unsqueeze(1))

    def forward(self, audio: Tensor, samples: Tensor) -> Tensor:
        position = (torch.arange(audio.shape[1] + WINDOW, device=audio.device).unsqueeze(0) - EDGE).abs()
        last = (samples - 1).unsqueeze(1)
        position = torch.where(position > last, (2 * last - position).clamp(min=0), position)  # at each item's own end
        spectrum = F.conv1d(torch.gather(audio, 1, position).unsqueeze(1), self.waves, stride=HOP)
        real, imaginary = spectrum[:, :BINS], spectrum[:, BINS:]
        magnitude = torch.sqrt(real * real + imaginary * imaginary)
        # The frames at the edges are symmetric: their imaginary part is zero but for rounding, whose sign would decide
        # between plus and minus half a turn.
        imaginary = torch.where(imaginary.abs() <= magnitude * 1e-5, torch.zeros_like(imaginary), imaginary)
        phase = torch.atan2(imaginary, real)
        phase = torch.where((imaginary == 0) & (real < 0), torch.full_like(phase, math.pi), phase)
        return torch.cat([magnitude, phase], 1)


class Synthesis(nn.Module):
    """magnitude and phase [1, 11, P] on a packed axis -> audio [N, S], zero behind each item's end."""

    def __init__(self) -> None:
        super().__init__()
        cosines, sines = _waves()
        twice = torch.full((BINS, 1), 2.0, dtype=torch.float64)  # each bin but the first and last stands for two
        twice[0] = twice[-1] = 1
        self.register_buffer("waves", torch.cat([twice * cosines, -twice * sines]).unsqueeze(1) / (WINDOW * OVERLAP))
        window = torch.hann_window(WINDOW, periodic=True, dtype=torch.float64)
        frames = 21
        overlap = torch.zeros(HOP * (frames - 1) + WINDOW, dtype=torch.float64)
        for frame in range(frames):
            overlap[HOP * frame : HOP * frame + WINDOW] += window * window
        overlap = overlap[EDGE:-EDGE]
        # Near the edges fewer windows overlap; from 16 samples on these factors are 1.
        self.register_buffer("after_start", OVERLAP / overlap[:16])
        self.register_buffer("before_end", OVERLAP / overlap.flip(0)[:16])

    def forward(self, magnitude: Tensor, phase: Tensor, packing: Packing, samples: Tensor, longest: Tensor) -> Tensor:
        spectrum = torch.cat([magnitude * torch.cos(phase), magnitude * torch.sin(phase)], 1)
        packed = F.conv_transpose1d(spectrum, self.waves, stride=HOP)[0, 0][EDGE:]
        audio = packing.unpack(packed, SAMPLES_A_FRAME, longest)
        position = torch.arange(longest, device=audio.device).unsqueeze(0)
        last = (samples - 1).unsqueeze(1)
        ends = self.after_start[position.clamp(max=15)] * self.before_end[(last - position).clamp(min=0, max=15)]
        return audio * ends * (position <= last).to(audio.dtype)

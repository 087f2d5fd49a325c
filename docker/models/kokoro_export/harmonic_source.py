"""The excitation of the generator: nine harmonics of the pitch, or noise where there is no pitch."""

import math
from typing import Any, Final

import torch
from torch import Tensor, nn

from kokoro_export.input_limits import NOISE_ENTRIES

RATE: Final = 24_000  # Hz
STEP: Final = 300  # samples a pitch value holds
SAMPLES_A_FRAME: Final = 600
HARMONICS: Final = 9
VOICED_ABOVE: Final = 10.0  # Hz
SINE_AMPLITUDE: Final = 0.1
VOICED_NOISE: Final = 0.003
# In fp32 a difference of 1e-6 in the pitch would become one of up to 0.3 in the waveform; rounded it stays away.
PITCHES_A_HERTZ: Final = 8


class HarmonicSource(nn.Module):
    """pitch [N, 2F] in Hz, samples [N], offset [N] -> [N, 600 F], meaningless behind an item's samples."""

    def __init__(self, merge: nn.Linear) -> None:
        super().__init__()
        self.merge = merge
        weight = merge.weight.data.double().view(-1)
        table = torch.randn(NOISE_ENTRIES, generator=torch.Generator().manual_seed(1234), dtype=torch.float64)
        # Upstream adds noise to each harmonic and then sums them: that is one noise of this deviation.
        self.register_buffer("noise", table * weight.norm())
        self.register_buffer("harmonics", torch.arange(1, HARMONICS + 1, dtype=torch.float64).view(1, 1, -1))
        self.register_buffer("ramp", (torch.arange(STEP, dtype=torch.float64) + 0.5).view(1, 1, STEP, 1) / STEP - 0.5)

    def forward(self, pitch: Tensor, samples: Tensor, offset: Tensor) -> Tensor:
        voiced = (pitch > VOICED_ABOVE).to(pitch.dtype).unsqueeze(-1)
        sines = torch.sin(self._turns(pitch, samples) * (2 * math.pi))  # [N, 2F, 300, 9]
        sound = (sines * (SINE_AMPLITUDE * self.merge.weight.view(1, 1, 1, -1))).sum(-1) * voiced
        loudness = voiced * VOICED_NOISE + (1 - voiced) * (SINE_AMPLITUDE / 3)
        return torch.tanh(sound + loudness * self._noise(sound, offset) + self.merge.bias).flatten(1)

    def _noise(self, like: Tensor, offset: Tensor) -> Tensor:
        """Returns noise from a table, so that the same request always gives the same samples."""
        position = torch.arange(like.shape[1] * STEP, device=like.device).unsqueeze(0) + offset.unsqueeze(1)
        return self.noise[position % NOISE_ENTRIES].view(like.shape)

    def _turns(self, pitch: Tensor, samples: Tensor) -> Tensor:
        """Returns the phase of each harmonic in turns, [N, 2F, 300, 9].

        As upstream, linear between the middles of the steps and level at both ends; unlike it, whole turns are left out
        at every step, so that long audio stays exact.
        """
        turns = torch.remainder(pitch.unsqueeze(-1) * self.harmonics / RATE, 1.0) * STEP  # [N, 2F, 9]
        at_middle = torch.cumsum(torch.remainder(turns, 1.0), 1)
        at_middle = at_middle - torch.floor(at_middle)
        index = torch.arange(pitch.shape[1], device=pitch.device).view(1, -1, 1)
        following = torch.cat([turns[:, 1:], torch.zeros_like(turns[:, :1])], 1)
        is_last = (index + 1) * STEP >= samples.view(-1, 1, 1)
        following = torch.where(is_last, torch.zeros_like(following), following)
        leading = turns * (index > 0).to(turns.dtype)
        slope = torch.where(self.ramp < 0, leading.unsqueeze(2), following.unsqueeze(2))
        return at_middle.unsqueeze(2) + slope * self.ramp


def source_of(generator: Any) -> HarmonicSource:  # noqa: ANN401 - upstream has no types
    return HarmonicSource(generator.m_source.l_linear)

"""From the decoder's features and the excitation to the waveform."""

from typing import Any, Final

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor, nn

from kokoro_export.source import SAMPLES_A_FRAME, source_of
from kokoro_export.spectrum import BINS, HOP, Analysis, Synthesis
from kokoro_export.styled import SnakeBlock
from kokoro_export.time_axis import Packing

FIRST_STAGE: Final = 20  # steps a frame
SECOND_STAGE: Final = SAMPLES_A_FRAME // HOP


class Generator(nn.Module):
    """features [1, C, P], pitch [N, 2F] -> waveform [N, 600 F], samples [N]."""

    def __init__(self, generator: Any) -> None:  # noqa: ANN401 - upstream has no types
        super().__init__()
        self.source, self.analysis, self.synthesis = source_of(generator), Analysis(), Synthesis()
        self.noise_convs, self.ups, self.conv_post = generator.noise_convs, generator.ups, generator.conv_post
        self.noise_blocks = nn.ModuleList(SnakeBlock(block) for block in generator.noise_res)
        self.blocks = nn.ModuleList(SnakeBlock(block) for block in generator.resblocks)
        self.parallel: int = generator.num_kernels

    def forward(
        self, x: Tensor, style: Tensor, pitch: Tensor, packing: Packing, longest: Tensor, noise_offset: Tensor
    ) -> tuple[Tensor, Tensor]:
        samples = packing.frames * SAMPLES_A_FRAME
        # The last stage has one step more than 120 a frame: the transform's last window.
        axes = (packing.axis(FIRST_STAGE, 0, x.dtype), packing.axis(SECOND_STAGE, 1, x.dtype))
        excitation = self.analysis(self.source(pitch, samples, noise_offset), samples)
        excitation = packing.pack(excitation, SECOND_STAGE, axes[-1])
        for stage, axis in enumerate(axes):
            heard = self.noise_blocks[stage](self.noise_convs[stage](excitation) * axis.inside, style, axis)
            x = self.ups[stage](F.leaky_relu(x, 0.1))
            if axis is axes[-1]:
                x = _reflect_at_starts(x, packing)
            x = x * axis.inside + heard
            parallel = self.blocks[stage * self.parallel : (stage + 1) * self.parallel]
            x = torch.stack([block(x, style, axis) for block in parallel]).sum(0) / self.parallel
        x = self.conv_post(F.leaky_relu(x, 0.01))
        magnitude = torch.exp(x[:, :BINS]) * axes[-1].inside
        waveform = self.synthesis(magnitude, torch.sin(x[:, BINS:]), packing, samples, longest * SAMPLES_A_FRAME)
        return waveform, samples


def _reflect_at_starts(x: Tensor, packing: Packing) -> Tensor:
    """Shift by one step to the right, and put before each item its second step: upstream's reflection pad."""
    position = torch.arange(x.shape[2], device=x.device)
    starts = (position.unsqueeze(1) == (packing.starts * SECOND_STAGE).unsqueeze(0)).to(x.dtype).sum(1).view(1, 1, -1)
    shifted = torch.cat([x[:, :, 1:2], x[:, :, :-1]], -1)
    following = torch.cat([x[:, :, 1:], x[:, :, :1]], -1)
    return shifted * (1 - starts) + following * starts

"""From the decoder's features and the excitation to the waveform."""

from typing import Any, Final

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor, nn

from kokoro_export.image import as_image, transposed_as_image
from kokoro_export.snake import SnakeBlock
from kokoro_export.source import SAMPLES_A_FRAME, source_of
from kokoro_export.spectrum import BINS, HOP, Analysis, Synthesis
from kokoro_export.time_axis import Packing

FIRST_STAGE: Final = 20  # steps a frame
SECOND_STAGE: Final = SAMPLES_A_FRAME // HOP


class Generator(nn.Module):
    """features [1, C, P], pitch [N, 2F] -> waveform [N, 600 F], samples [N]."""

    def __init__(self, generator: Any) -> None:  # noqa: ANN401 - upstream has no types
        super().__init__()
        self.source, self.analysis, self.synthesis = source_of(generator), Analysis(), Synthesis()
        self.noise_convs = nn.ModuleList(as_image(conv) for conv in generator.noise_convs)
        first, second = generator.ups
        self.ups = nn.ModuleList([transposed_as_image(first), transposed_as_image(second, early=True)])
        self.conv_post = as_image(generator.conv_post)
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
        excitation = packing.pack(excitation, SECOND_STAGE, axes[-1]).unsqueeze(2)
        x = x.unsqueeze(2)
        for stage, axis in enumerate(axes):
            heard = self.noise_blocks[stage](self.noise_convs[stage](excitation), style, axis)
            x = self.ups[stage](F.leaky_relu(x, 0.1))
            if axis is axes[-1]:
                x = _reflect_at_starts(x[..., :-1], packing)
            x = x + heard
            first, *others = self.blocks[stage * self.parallel : (stage + 1) * self.parallel]
            together = first(x, style, axis)
            for block in others:
                together = together + block(x, style, axis)
            x = together * (axis.inside / self.parallel).unsqueeze(2)
        x = self.conv_post(F.leaky_relu(x, 0.01)).flatten(1, 2)
        magnitude = torch.exp(x[:, :BINS]) * axes[-1].inside
        waveform = self.synthesis(magnitude, torch.sin(x[:, BINS:]), packing, samples, longest * SAMPLES_A_FRAME)
        return waveform, samples


def _reflect_at_starts(x: Tensor, packing: Packing) -> Tensor:
    """Put in the first step of each item, which is one too early, its third: upstream's reflection pad."""
    starts = packing.starts * SECOND_STAGE
    return x.index_copy(3, starts, x.index_select(3, starts + 2))

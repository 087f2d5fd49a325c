"""Convolution blocks with adaptive instance normalisation by the voice's style (AdaIN, Huang and Belongie 2017)."""

import math
from typing import Any, Final

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor, nn

from kokoro_export.batch_packing import TimeAxis

LEAK: Final = 0.2


def normalised(
    x: Tensor, shape: list[int], gain: Tensor, shift: Tensor, members: Tensor, per_step: Tensor, eps: float
) -> Tensor:
    """[1, C, .., P], gain and shift [C, N] -> each item normalised over its own steps; zero in the gaps, whatever x is.

    `shape` is that of x. The statistics are products with the matrix of the members, and so is spreading them over the
    steps.
    """
    rows = x.reshape(gain.shape[0], -1)
    steps = members.t()
    mean = torch.matmul(rows, steps) * per_step
    variance = (torch.matmul(rows * rows, steps) * per_step - mean * mean).clamp(min=0)
    scale = gain * torch.rsqrt(variance + eps)
    offset = shift - mean * scale
    # The factors take the shape of x, not the result: as the output of a branch it would be copied.
    return x * torch.matmul(scale, members).reshape(shape) + torch.matmul(offset, members).reshape(shape)


class StyleNorm(nn.Module):
    """[1, C, P], style [N, S] -> [1, C, P]: each item normalised over its own steps; zero in the gaps."""

    def __init__(self, adain: Any) -> None:  # noqa: ANN401 - upstream has no types
        super().__init__()
        self.of_style = adain.fc
        self.eps: float = adain.norm.eps
        self.register_buffer("weight", adain.norm.weight.data.view(-1, 1).clone())
        self.register_buffer("bias", adain.norm.bias.data.view(-1, 1).clone())

    def gain_and_shift(self, style: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the factor and the offset of the normalised values, [C, N]."""
        gain, shift = self.of_style(style).t().chunk(2, 0)
        return (1 + gain) * self.weight, (1 + gain) * self.bias + shift

    def forward(self, x: Tensor, style: Tensor, axis: TimeAxis) -> Tensor:
        gain, shift = self.gain_and_shift(style)
        return normalised(x, x.shape, gain, shift, axis.members, axis.per_step, self.eps)


class StyledBlock(nn.Module):
    """Upstream's AdainResBlk1d: two styled convolutions and a shortcut, which may double the steps."""

    def __init__(self, block: Any) -> None:  # noqa: ANN401 - upstream has no types
        super().__init__()
        self.block = block
        self.norm1, self.norm2 = StyleNorm(block.norm1), StyleNorm(block.norm2)
        self.doubles: bool = block.upsample_type != "none"

    def forward(self, x: Tensor, style: Tensor, before: TimeAxis, after: TimeAxis) -> Tensor:
        block = self.block
        branch = F.leaky_relu(self.norm1(x, style, before), LEAK)
        if self.doubles:
            branch = block.pool(branch) * after.inside
        branch = F.leaky_relu(self.norm2(block.conv1(branch) * after.inside, style, after), LEAK)
        branch = block.conv2(branch)
        shortcut = F.interpolate(x, scale_factor=2.0, mode="nearest") if self.doubles else x
        if block.learned_sc:
            shortcut = block.conv1x1(shortcut)
        return (branch + shortcut) * (after.inside * math.sqrt(0.5))

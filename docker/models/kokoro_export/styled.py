"""Convolution blocks whose normalisation the voice's style sets (AdaIN, Huang and Belongie 2017), on a packed axis."""

import math
from typing import Any, Final

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor, nn

from kokoro_export.time_axis import TimeAxis

LEAK: Final = 0.2


class StyleNorm(nn.Module):
    """[1, C, P], style [N, S] -> [1, C, P]: each item normalised over its own steps; zero in the gaps."""

    def __init__(self, adain: Any) -> None:  # noqa: ANN401 - upstream has no types
        super().__init__()
        self.of_style = adain.fc
        self.eps: float = adain.norm.eps
        self.register_buffer("weight", adain.norm.weight.data.view(-1, 1).clone())
        self.register_buffer("bias", adain.norm.bias.data.view(-1, 1).clone())

    def forward(self, x: Tensor, style: Tensor, axis: TimeAxis) -> Tensor:
        gain, shift = self.of_style(style).t().chunk(2, 0)  # [C, N]
        steps = axis.members.t()
        mean = torch.matmul(x[0], steps) * axis.per_step
        variance = (torch.matmul(x[0] * x[0], steps) * axis.per_step - mean * mean).clamp(min=0)
        scale = (1 + gain) * self.weight * torch.rsqrt(variance + self.eps)
        offset = (1 + gain) * self.bias + shift - mean * scale
        scales, offsets = torch.matmul(scale, axis.members), torch.matmul(offset, axis.members)
        return x * scales.unsqueeze(0) + offsets.unsqueeze(0)


class StyledBlock(nn.Module):
    """Upstream's AdainResBlk1d: two styled convolutions and a shortcut, which may double the steps."""

    def __init__(self, block: Any) -> None:  # noqa: ANN401 - upstream has no types
        super().__init__()
        self.block = block
        self.norm1, self.norm2 = StyleNorm(block.norm1), StyleNorm(block.norm2)
        self.doubles: bool = block.upsample_type != "none"

    def forward(self, x: Tensor, style: Tensor, before: TimeAxis, after: TimeAxis) -> Tensor:
        block = self.block
        way = F.leaky_relu(self.norm1(x, style, before), LEAK)
        if self.doubles:
            way = block.pool(way) * after.inside
        way = F.leaky_relu(self.norm2(block.conv1(way) * after.inside, style, after), LEAK)
        way = block.conv2(way)
        shortcut = F.interpolate(x, scale_factor=2.0, mode="nearest") if self.doubles else x
        if block.learned_sc:
            shortcut = block.conv1x1(shortcut)
        return (way + shortcut) * (after.inside * math.sqrt(0.5))


class SnakeBlock(nn.Module):
    """Upstream's AdaINResBlock1: three styled, dilated convolutions with periodic activations (Snake, Ziyin 2020)."""

    def __init__(self, block: Any) -> None:  # noqa: ANN401 - upstream has no types
        super().__init__()
        self.convs = nn.ModuleList([*block.convs1, *block.convs2])
        self.norms = nn.ModuleList(StyleNorm(norm) for norm in [*block.adain1, *block.adain2])
        self.alphas = nn.ParameterList([*block.alpha1, *block.alpha2])

    def forward(self, x: Tensor, style: Tensor, axis: TimeAxis) -> Tensor:
        rounds = len(self.convs) // 2
        for first in range(rounds):
            way = x
            for index in (first, first + rounds):
                way = self.norms[index](way, style, axis)
                alpha = self.alphas[index]
                wave = torch.sin(alpha * way)
                way = self.convs[index](way + wave * wave / alpha) * axis.inside
            x = way + x
        return x

"""The generator's blocks: styled, dilated convolutions with periodic activations, on a packed axis as an image's width.

On a CPU a pass over such a tensor costs about a hundredth of the convolution beside it, and a dozen of them add up. So
one item alone is normalised by the one operator that there is for it, the activation's frequency is part of the norm's
gain, and nothing is masked that the next norm puts to zero.
"""

from typing import Any

import torch
from torch import Tensor, nn

from kokoro_export.image import as_image
from kokoro_export.styled import StyleNorm, normalised
from kokoro_export.time_axis import TimeAxis


@torch.jit.script
def normalised_alone_or_each(
    x: Tensor, gain: Tensor, shift: Tensor, members: Tensor, per_step: Tensor, eps: float
) -> Tensor:
    """As `normalised`. A script, since both branches go into the ONNX file (operator If): its weights are outside."""
    # The shape is read outside of the branches: ONNX Runtime 1.18 to 1.22 abort (microsoft/onnxruntime#24473) while
    # they load a graph with a convolution that nothing but an If reads.
    shape = x.shape
    if gain.shape[1] == 1:  # one item, which fills the axis
        return torch.instance_norm(x, gain[:, 0], shift[:, 0], None, None, True, 0.0, eps, False)
    return normalised(x, shape, gain, shift, members, per_step, eps)


class SnakeBlock(nn.Module):
    """Upstream's AdaINResBlock1, [1, C, 1, P] -> [1, C, 1, P]; in the gaps it reads and writes anything.

    The activation is x + sin(ax)^2 / a (Snake, Ziyin 2020).
    """

    def __init__(self, block: Any) -> None:  # noqa: ANN401 - upstream has no types
        super().__init__()
        self.convs = nn.ModuleList(as_image(conv) for conv in [*block.convs1, *block.convs2])
        self.norms = nn.ModuleList(StyleNorm(norm) for norm in [*block.adain1, *block.adain2])
        alphas = [alpha.data.view(-1, 1) for alpha in [*block.alpha1, *block.alpha2]]
        self.frequencies = nn.ParameterList(alphas)
        self.periods = nn.ParameterList(1 / alpha.view(1, -1, 1, 1) for alpha in alphas)

    def forward(self, x: Tensor, style: Tensor, axis: TimeAxis) -> Tensor:
        rounds = len(self.convs) // 2
        for first in range(rounds):
            way = x
            for index in (first, first + rounds):
                way = self.convs[index](self._activated(way, style, axis, index))
            x = way + x
        return x

    def _activated(self, x: Tensor, style: Tensor, axis: TimeAxis, index: int) -> Tensor:
        """Normalise and activate; zero in the gaps."""
        norm, frequency = self.norms[index], self.frequencies[index]
        gain, shift = norm.gain_and_shift(style)
        turned = normalised_alone_or_each(x, gain * frequency, shift * frequency, axis.members, axis.per_step, norm.eps)
        wave = torch.sin(turned)
        return (turned + wave * wave) * self.periods[index]

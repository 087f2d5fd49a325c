"""Upstream's iSTFTNet generator on a packed axis: from the decoder's features and the excitation to the waveform.

Convolutions over time are done as convolutions over an image one step high. It is the same arithmetic. On a CPU, ONNX
Runtime has kernels for images that work in blocks of channels (NCHWc) and need no copy of the input for each weight;
they are some 6 % faster than those for one dimension.

On a CPU a pass over such a tensor costs about a hundredth of the convolution beside it, and a dozen of them add up. So
a single item is normalised by the one operator for it, the activation's frequency is part of the norm's gain and its
inverse part of the weights behind it, and nothing is masked that the next norm sets to zero.
"""

from typing import Any, Final

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor, nn

from kokoro_export.adain import StyleNorm, normalised
from kokoro_export.batch_packing import Packing, TimeAxis
from kokoro_export.harmonic_source import SAMPLES_A_FRAME, source_of
from kokoro_export.stft import BINS, HOP, Analysis, Synthesis

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
            excited = self.noise_blocks[stage](self.noise_convs[stage](excitation), style, axis)
            x = self.ups[stage](F.leaky_relu(x, 0.1))
            if axis is axes[-1]:
                x = _reflect_at_starts(x[..., :-1], packing)
            x = x + excited
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
    """Copies the third step of each item to its first, which is one too early: upstream's reflection pad."""
    starts = packing.starts * SECOND_STAGE
    return x.index_copy(3, starts, x.index_select(3, starts + 2))


@torch.jit.script
def normalised_alone_or_each(
    x: Tensor, gain: Tensor, shift: Tensor, members: Tensor, per_step: Tensor, eps: float
) -> Tensor:
    """As `normalised`. A script, so that both branches go into the ONNX file (operator If)."""
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
        for conv, alpha in zip(self.convs, alphas, strict=True):
            conv.weight.data = conv.weight.data / alpha.view(1, -1, 1, 1)

    def forward(self, x: Tensor, style: Tensor, axis: TimeAxis) -> Tensor:
        pairs = len(self.convs) // 2
        for first in range(pairs):
            branch = x
            for index in (first, first + pairs):
                branch = self.convs[index](self._activated(branch, style, axis, index))
            x = branch + x
        return x

    def _activated(self, x: Tensor, style: Tensor, axis: TimeAxis, index: int) -> Tensor:
        """Normalises and activates, a times as large as upstream: the weights make up for it. Zero in the gaps."""
        norm, frequency = self.norms[index], self.frequencies[index]
        gain, shift = norm.gain_and_shift(style)
        turned = normalised_alone_or_each(x, gain * frequency, shift * frequency, axis.members, axis.per_step, norm.eps)
        wave = torch.sin(turned)
        return turned + wave * wave


def as_image(conv: nn.Conv1d) -> nn.Conv2d:
    """[1, C, P] -> [1, C', P'] becomes [1, C, 1, P] -> [1, C', 1, P']; the weights are shared."""
    (kernel,), (stride,), (padding,), (dilation,) = conv.kernel_size, conv.stride, conv.padding, conv.dilation
    made = nn.Conv2d(
        conv.in_channels, conv.out_channels, (1, kernel), (1, stride), (0, int(padding)), (1, dilation), conv.groups,
        bias=conv.bias is not None, device="meta",
    )  # fmt: skip
    made.weight = nn.Parameter(conv.weight.data.unsqueeze(2), requires_grad=False)
    if conv.bias is not None:
        made.bias = nn.Parameter(conv.bias.data, requires_grad=False)
    return made


def transposed_as_image(conv: nn.ConvTranspose1d, *, early: bool = False) -> nn.ConvTranspose2d:
    """As `as_image`, for a transposed convolution. `early` begins one step earlier, and so gives two more steps."""
    (kernel,), (stride,), (padding,), (more,) = conv.kernel_size, conv.stride, conv.padding, conv.output_padding
    made = nn.ConvTranspose2d(
        conv.in_channels, conv.out_channels, (1, kernel), (1, stride), (0, int(padding) - early), (0, more),
        conv.groups, device="meta",
    )  # fmt: skip
    made.weight = nn.Parameter(conv.weight.data.unsqueeze(2), requires_grad=False)
    made.bias = nn.Parameter(torch.as_tensor(conv.bias.data), requires_grad=False)
    return made

"""Convolutions over time as convolutions over an image one step high.

It is the same arithmetic. On a CPU, ONNX Runtime has kernels for images that work in blocks of channels (NCHWc) and
need no copy of the input for each weight; they are some 6 % faster than what it has for one dimension.
"""

import torch
from torch import nn


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
    """The same for a transposed convolution; `early` begins one step before, and so gives two steps more."""
    (kernel,), (stride,), (padding,), (more,) = conv.kernel_size, conv.stride, conv.padding, conv.output_padding
    made = nn.ConvTranspose2d(
        conv.in_channels, conv.out_channels, (1, kernel), (1, stride), (0, int(padding) - early), (0, more),
        conv.groups, device="meta",
    )  # fmt: skip
    made.weight = nn.Parameter(conv.weight.data.unsqueeze(2), requires_grad=False)
    made.bias = nn.Parameter(torch.as_tensor(conv.bias.data), requires_grad=False)
    return made

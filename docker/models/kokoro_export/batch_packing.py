"""Packs the items of a batch one after another on one time axis, with a gap of zeros between them.

The gap is as long as the widest reach of a convolution, so that no item feels its neighbour. A convolution reads zeros
there: what the one before it wrote is put back to zero by the norm between them, or by a mask where there is none.
Behind the last item there is no gap, as the convolutions pad with zeros; so a single item fills the axis.
"""

from typing import Final, NamedTuple

import torch
from torch import Tensor

# Frames between two items. The widest reach is 25 steps, of kernel 11 with dilation 5 at 20 steps a frame.
GAP: Final = 2


class TimeAxis(NamedTuple):
    """Where the items lie at one resolution; P is the number of steps of the axis."""

    members: Tensor
    """[N, P], 1 where a step belongs to an item."""
    per_step: Tensor
    """[1, N], one over the number of an item's steps."""
    inside: Tensor
    """[1, 1, P], 1 where a step belongs to any item."""


class Packing(NamedTuple):
    """How items of `frames` frames lie behind each other."""

    frames: Tensor
    """[N]"""
    starts: Tensor
    """[N], in frames."""
    item: Tensor
    """[F], the item that a frame, or the gap behind it, belongs to."""

    def axis(self, steps: int, extra: int, dtype: torch.dtype) -> TimeAxis:
        """Returns the axis with `steps` steps a frame, where each item has `extra` steps more, taken from its gap.

        The last item has no gap: the axis is longer by its extra steps.
        """
        position = torch.arange(self.item.shape[0] * steps + extra, device=self.starts.device).unsqueeze(0)
        first = (self.starts * steps).unsqueeze(1)
        count = self.frames * steps + extra
        members = ((position >= first) & (position < first + count.unsqueeze(1))).to(dtype)
        return TimeAxis(members, (1.0 / count.to(dtype)).unsqueeze(0), members.sum(0).view(1, 1, -1))

    def pack(self, padded: Tensor, steps: int, axis: TimeAxis) -> Tensor:
        """From [N, C, L], whatever its padding holds, to [1, C, P] on the axis of `steps` steps a frame."""
        length = padded.shape[2]
        everywhere = torch.arange(axis.inside.shape[2], device=self.item.device)
        item = self.item[_at_most(everywhere // steps, self.item.shape[0] - 1)]
        position = everywhere - self.starts[item] * steps
        column = item * length + _at_most(position, length - 1)
        return padded.permute(1, 0, 2).flatten(1).index_select(1, column).unsqueeze(0) * axis.inside

    def unpack(self, packed: Tensor, steps: int, longest: int | Tensor) -> Tensor:
        """From [P] to [N, longest], where what lies behind an item's end is another's and must be masked."""
        position = (self.starts * steps).unsqueeze(1) + torch.arange(longest, device=packed.device).unsqueeze(0)
        return packed[_at_most(position, packed.shape[0] - 1)]


def _at_most(position: Tensor, last: int | Tensor) -> Tensor:
    """Returns the positions, none above `last`, which is a number or, while traced for ONNX, a tensor."""
    return torch.minimum(position, last + 0 * position)


def packing_of(frames: Tensor) -> Packing:
    """Packs items of `frames` [N] frames."""
    ends = torch.cumsum(frames + GAP, 0)
    total = ends[-1] - GAP
    # While it is traced for ONNX the length must stay a tensor, or it would become a constant of the graph.
    position = torch.arange(total if torch.jit.is_tracing() else int(total), device=frames.device)
    item = (position.unsqueeze(1) >= ends.unsqueeze(0)).to(torch.int64).sum(1)
    return Packing(frames, ends - (frames + GAP), item)

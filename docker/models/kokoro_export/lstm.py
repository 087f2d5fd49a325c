"""A bidirectional LSTM whose backward pass begins at each item's own end, in PyTorch and as ONNX's LSTM operator."""

# ruff: noqa: ANN401, ARG004 - the exporter's nodes have no types, and what an operator takes need not be used here

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class _OnnxLSTM(torch.autograd.Function):
    """PyTorch's exporter drops the lengths of a packed sequence; this puts in the operator that takes them."""

    @staticmethod
    def symbolic(
        graph: Any,
        x: Any,
        weights: Any,
        recurrent: Any,
        biases: Any,
        lengths: Any,
        hidden: int,
    ) -> Any:
        outputs = graph.op(
            "LSTM", x, weights, recurrent, biases, lengths, outputs=3, direction_s="bidirectional", hidden_size_i=hidden
        )
        return outputs[0]  # [T, 2, N, H]

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weights: Tensor,
        recurrent: Tensor,
        biases: Tensor,
        lengths: Tensor,
        hidden: int,
    ) -> Tensor:
        steps, items, _ = x.shape
        return x.new_zeros(steps, 2, items, hidden) + x.sum() * 0  # only the shape matters while tracing


def _onnx_order(gates: Tensor) -> Tensor:
    """From PyTorch's order of the gates (input, forget, cell, output) to ONNX's (input, output, forget, cell)."""
    i, f, c, o = gates.chunk(4, 0)
    return torch.cat([i, o, f, c], 0)


class BidirectionalLSTM(nn.Module):
    """[N, T, C], lengths [N] -> [N, T, 2H], zero from each item's end on."""

    def __init__(self, lstm: nn.LSTM) -> None:
        super().__init__()
        self.lstm = lstm
        self.hidden = lstm.hidden_size
        own = dict(lstm.named_parameters())
        both = ("", "_reverse")
        self.register_buffer("weights", torch.stack([_onnx_order(own[f"weight_ih_l0{way}"].data) for way in both]))
        self.register_buffer("recurrent", torch.stack([_onnx_order(own[f"weight_hh_l0{way}"].data) for way in both]))
        biases = [
            torch.cat([_onnx_order(own[f"bias_ih_l0{way}"].data), _onnx_order(own[f"bias_hh_l0{way}"].data)])
            for way in both
        ]
        self.register_buffer("biases", torch.stack(biases))

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        if torch.jit.is_tracing():
            out = _OnnxLSTM.apply(
                x.transpose(0, 1), self.weights, self.recurrent, self.biases, lengths.to(torch.int32), self.hidden
            )
            return out.permute(2, 0, 1, 3).flatten(2)
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=x.shape[1])[0]

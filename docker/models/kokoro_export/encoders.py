"""The encoders of the phonemes: upstream's ALBERT and bidirectional LSTMs, for batches of padded sequences.

Padding is masked, the backward pass of an LSTM begins at each item's own end, and no shape becomes a constant of the
ONNX graph.
"""

# ruff: noqa: ANN401, ARG004 - the exporter's nodes have no types, and what an operator takes need not be used here

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

MASKED = -1e9


class _OnnxLSTM(torch.autograd.Function):
    """ONNX's LSTM operator with lengths, which PyTorch's exporter drops."""

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


class Albert(nn.Module):
    """Upstream's PL-BERT: ids [N, T], mask [N, T] -> [N, T, hidden]. All layers share one set of weights."""

    def __init__(self, albert: Any) -> None:
        super().__init__()
        self.embeddings = albert.embeddings
        self.widen = albert.encoder.embedding_hidden_mapping_in
        self.layer = albert.encoder.albert_layer_groups[0].albert_layers[0]
        self.layers: int = albert.config.num_hidden_layers
        self.heads: int = albert.config.num_attention_heads

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        embeddings = self.embeddings
        positions = embeddings.position_embeddings.weight[: ids.shape[1]].unsqueeze(0)
        x = embeddings.word_embeddings(ids) + positions + embeddings.token_type_embeddings.weight[0]
        x = self.widen(embeddings.LayerNorm(x))
        bias = (1.0 - mask[:, None, None, :]) * MASKED
        for _ in range(self.layers):
            x = self._attend(x, bias)
            wide = self.layer.ffn(x)
            # GELU by its tanh form, as the checkpoint was trained ("gelu_new").
            wide = 0.5 * wide * (1 + torch.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide * wide * wide)))
            x = self.layer.full_layer_layer_norm(self.layer.ffn_output(wide) + x)
        return x

    def _attend(self, x: Tensor, bias: Tensor) -> Tensor:
        attention = self.layer.attention
        queries, keys, values = (
            projection(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for projection in (attention.query, attention.key, attention.value)
        )
        width = attention.query.out_features // self.heads
        weights = torch.softmax(torch.matmul(queries, keys.transpose(2, 3)) / math.sqrt(width) + bias, -1)
        heard = torch.matmul(weights, values).transpose(1, 2).flatten(2)
        return attention.LayerNorm(x + attention.dense(heard))

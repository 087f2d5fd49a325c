"""The ALBERT that reads the phonemes, written out so that padding is masked and no shape becomes a constant."""

import math
from typing import Any

import torch
from torch import Tensor, nn

MASKED = -1e9


class LanguageModel(nn.Module):
    """ids [N, T], mask [N, T] -> [N, T, hidden]. All layers share one set of weights."""

    def __init__(self, albert: Any) -> None:  # noqa: ANN401 - transformers' AlbertModel, which has no types here
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

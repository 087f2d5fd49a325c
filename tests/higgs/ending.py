"""Gives a random talker an end: left to chance, it would speak for one frame or for a thousand.

After a text with `NEVER` in it, it speaks until it is stopped: to leave it in the middle is no race then.

One head of the first layer looks for the token that audio begins with. It finds it while that is near, by the slow
rotation of one pair of its dimensions, and not beyond. While it does, no codebook can end; from then on the first must.
Three dimensions of the residual stream are kept for it: nothing else writes there.
"""

from typing import Any

import torch

from tests.higgs.texts import NEVER

CONSTANT, BEGIN, NEAR = -1, -2, -3  # dimensions: always there; of the token of the begin; of tokens it is near to
ENDLESS = -4  # of the embeddings only: of the token that is never far
LEVEL = 0.1  # in the embeddings, whose own are 0.02 in each of 8 codebooks: 0.057
SCORE = 400.0  # of the attention: so much that a few frames separate near from far
SURE = 20.0  # of a logit
QUIET = 0.01  # what the layers add, in a model so large that it would drown out the rest


def give_an_end(talker: Any, frames: int, tokenizer: Any) -> None:
    """``frames``: about so many it will speak, a tenth more or less, whatever the text.

    The tiny model has few rotations to choose from: 30 to 120 come out as asked for.
    """
    config = talker.config
    large = config.hidden_size > 1_000
    with torch.no_grad():
        _reserve(talker, QUIET if large else 1.0)
        _mark(talker, tokenizer.convert_tokens_to_ids(NEVER))
        _look(talker, frames)
        head = talker.audio_lm_head.weight.view(config.num_codebooks, config.codebook_size, config.hidden_size)
        for code in (config.audio_stream_bos_id, config.audio_stream_eos_id):
            head[:, code] = 0
            head[:, code, CONSTANT] = -SURE
        head[0, config.audio_stream_eos_id, CONSTANT] = SURE
        head[0, config.audio_stream_eos_id, NEAR] = -SURE


def _reserve(talker: Any, layers: float) -> None:
    config = talker.config
    kept = [CONSTANT, BEGIN, NEAR]
    text, audio = talker.model.embed_tokens.weight, talker.model.embed_audio_tokens.embed_audio_tokens.weight
    for embeddings, level in ((text, LEVEL), (audio, LEVEL / config.num_codebooks)):
        embeddings[:, kept] = 0
        embeddings[:, CONSTANT] = level
    text[config.audio_bos_token_id, BEGIN] = LEVEL
    for layer in talker.model.layers:
        for writes in (layer.self_attn.o_proj, layer.mlp.down_proj, layer.audio_mlp.down_proj):
            writes.weight *= layers
            writes.weight[kept] = 0


def _mark(talker: Any, never: int) -> None:
    text, audio = talker.model.embed_tokens.weight, talker.model.embed_audio_tokens.embed_audio_tokens.weight
    for embeddings in (text, audio):
        embeddings[:, ENDLESS] = 0
    text[never, ENDLESS] = LEVEL


def _look(talker: Any, frames: int) -> None:
    config = talker.config
    attention = talker.model.layers[0].self_attn
    size = config.head_dim
    turns = talker.model.rotary_emb.inv_freq.tolist()  # radians a position, the fastest first
    pair = min(range(len(turns)), key=lambda number: abs(turns[number] * frames - 0.4))
    still = len(turns) - 1
    query = attention.q_proj.weight[-size:]  # of the last head
    key, value = attention.k_proj.weight[-size:], attention.v_proj.weight[-size:]  # of the last heads together
    for projection in (query, key, value):
        projection.zero_()
    # The head's columns: what it found goes to one dimension, and nothing else of it anywhere.
    out = attention.o_proj.weight[:, -size:]
    out.zero_()
    strength = (SCORE * size**0.5 / (1.7 * 3)) ** 0.5  # a token's CONSTANT is about 1.7 once normalised, its BEGIN 3
    near = float(torch.cos(torch.tensor(turns[pair] * frames))) - 6 / SCORE  # against a few hundred other tokens
    query[pair, CONSTANT] = key[pair, BEGIN] = strength
    query[still, CONSTANT], key[still, BEGIN], key[still, ENDLESS] = -strength * near, strength, -strength
    value[0, [BEGIN, ENDLESS]] = 1
    out[NEAR, 0] = 1

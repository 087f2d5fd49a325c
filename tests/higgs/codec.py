"""The codec of Higgs Audio v2 with random weights: 8 codebooks of 1,024 codes, 25 frames a second, 24 kHz."""

from typing import Literal

import torch
from transformers import HiggsAudioV2TokenizerConfig, HiggsAudioV2TokenizerModel

Size = Literal["tiny", "full"]

BANDWIDTHS = [0.5, 1, 1.5, 2]  # kbit/s; the last makes 8 codebooks of 10 bits
RATIOS = [8, 5, 4, 2, 3]  # 960 samples a frame
LOUDNESS = 0.1  # of 1

ACOUSTIC = {
    "tiny": {"encoder_hidden_size": 4, "decoder_hidden_size": 32, "hidden_size": 16},
    "full": {"encoder_hidden_size": 64, "decoder_hidden_size": 1024, "hidden_size": 256},
}
SEMANTIC = {
    "tiny": {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "conv_dim": [8] * 7,
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 2,
    },
    "full": {},  # HuBERT's own base size
}


def random_codec(size: Size, seed: int = 0) -> HiggsAudioV2TokenizerModel:
    torch.manual_seed(seed)
    codec = HiggsAudioV2TokenizerModel(
        HiggsAudioV2TokenizerConfig(
            target_bandwidths=BANDWIDTHS,
            sample_rate=24_000,
            codebook_size=1024,
            codebook_dim=8 if size == "tiny" else 64,
            acoustic_model_config={
                "model_type": "dac",
                "downsampling_ratios": RATIOS,
                "upsampling_ratios": RATIOS,
                "n_codebooks": 1,
                **ACOUSTIC[size],
            },
            semantic_model_config={"model_type": "hubert", "mask_time_prob": 0.0, **SEMANTIC[size]},
        )
    ).eval()
    with torch.no_grad():
        # The library leaves the codebooks at zero, and the decoder so quiet that every code would sound alike.
        spread_codebooks(codec)
        for module in codec.acoustic_decoder.modules():
            if isinstance(module, torch.nn.Conv1d | torch.nn.ConvTranspose1d):
                torch.nn.init.kaiming_normal_(module.weight)
        # And as loud as speech: far louder, every sample would be the largest there is.
        codes = torch.randint(1024, (1, codec.config.num_quantizers, 50))
        loudness = codec.decode(codes).audio_values.std()
        last = codec.acoustic_decoder.conv2
        last.weight *= LOUDNESS / loudness
        last.bias *= LOUDNESS / loudness
    return codec


def spread_codebooks(codec: HiggsAudioV2TokenizerModel) -> None:
    """Draws each codebook where what it quantizes lies: elsewhere, all sounds would be the same few codes."""
    caught: list[torch.Tensor] = []
    catching = codec.fc.register_forward_hook(lambda _module, _given, made: caught.append(made))
    codec.encode(LOUDNESS * torch.randn(1, 1, codec.config.sample_rate))
    catching.remove()
    left = caught[0].transpose(1, 2)  # (1, channels, frames), as quantizers take it
    for quantizer in codec.quantizer.quantizers:
        points = quantizer.project_in(left.transpose(1, 2))[0]
        embed = quantizer.codebook.embed
        embed.copy_(points.mean(0) + points.std(0) * torch.randn_like(embed))
        left = left - quantizer.decode(quantizer.encode(left))

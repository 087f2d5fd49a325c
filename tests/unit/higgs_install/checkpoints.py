"""Checkpoints of a few numbers, with the names and shapes of the real ones."""

import io
import json
import struct
import wave
from collections.abc import Mapping
from typing import Any

Files = dict[str, bytes]
Shapes = dict[str, tuple[int, ...]]

V2 = {
    "model_type": "higgs_audio_v2", "architectures": ["HiggsAudioV2ForConditionalGeneration"], "hidden_size": 8,
    "vocab_size": 32, "num_codebooks": 8, "codebook_size": 4, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 1, "head_dim": 4, "intermediate_size": 16,
}  # fmt: skip
V3 = {
    "model_type": "higgs_multimodal_qwen3",
    "architectures": ["HiggsMultimodalQwen3ForConditionalGeneration"],
    "text_config": {key: V2[key] for key in V2 if key not in ("model_type", "architectures")},
    "audio_encoder_config": {"num_codebooks": 8, "vocab_size": 6},
}
V2_SPECIAL = ("<|begin_of_text|>", "<|eot_id|>", "<|audio_out_bos|>", "<|audio_eos|>", "<|AUDIO_OUT|>")
V3_SPECIAL = ("<|tts|>", "<|text|>", "<|audio|>", "<|ref_audio|>", "<|ref_text|>")
CODEC = {"model_type": "higgs_audio_v2_tokenizer", "sample_rate": 24_000}


def v2(config: Mapping[str, Any] = V2) -> Files:
    shapes: Shapes = {
        "model.embed_tokens.weight": (32, 8),
        "model.embed_audio_tokens.embed_audio_tokens.weight": (32, 8),
        "audio_lm_head.weight": (32, 8),
        "model.norm.weight": (8,),
    }
    for layer in range(2):
        shapes |= _layer(f"model.layers.{layer}.", ("mlp.", "audio_mlp."))
    return {
        "config.json": _json(config),
        "tokenizer.json": _tokenizer(*V2_SPECIAL),
        "tokenizer_config.json": _json({}),
        "generation_config.json": _json({}),
        "processor_config.json": _json({}),
        "chat_template.jinja": b"{{ messages }}",
        "model.safetensors": safetensors(shapes),
    }


def v3(config: Mapping[str, Any] = V3) -> Files:
    bundled = "tied.embedding.modality_embeddings.0."
    shapes: Shapes = {
        "tied.embedding.text_embedding.weight": (32, 8),
        f"{bundled}embedding.weight": (48, 8),
        "body.norm.weight": (8,),
    }
    shapes |= {f"{bundled}model.{name}": shape for name, shape in _codec_shapes().items()}
    for layer in range(2):
        shapes |= _layer(f"body.layers.{layer}.", ("mlp.",))
    return {
        "config.json": _json(config),
        "tokenizer.json": _tokenizer(*V3_SPECIAL),
        "tokenizer_config.json": _json({}),
        "model.safetensors": safetensors(shapes),
    }


def codec(config: Mapping[str, Any] = CODEC, more: Mapping[str, tuple[int, ...]] | None = None) -> Files:
    """`more`: tensors that nobody asks for."""
    return {
        "config.json": _json(config),
        "preprocessor_config.json": _json({"sampling_rate": 24_000}),
        "model.safetensors": safetensors(_codec_shapes() | dict(more or {})),
    }


def safetensors(shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    """The tensors are of BF16 and hold nothing but zeros."""
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 2
        for length in shape:
            size *= length
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps({"__metadata__": {"format": "pt"}} | header).encode()
    return struct.pack("<Q", len(raw)) + raw + bytes(at)


def sharded(shapes: Mapping[str, tuple[int, ...]]) -> Files:
    """One tensor a file, with an index."""
    parts = {name: f"model-{number:05}-of-{len(shapes):05}.safetensors" for number, name in enumerate(shapes, 1)}
    files = {part: safetensors({name: shapes[name]}) for name, part in parts.items()}
    return files | {"model.safetensors.index.json": _json({"weight_map": parts})}


def recording(seconds: float, channels: int = 1) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as audio:
        audio.setnchannels(channels)
        audio.setsampwidth(2)
        audio.setframerate(24_000)
        audio.writeframes(bytes(2 * channels * int(seconds * 24_000)))
    return out.getvalue()


def _layer(prefix: str, feed_forward: tuple[str, ...]) -> Shapes:
    shapes: Shapes = {
        f"{prefix}self_attn.q_proj.weight": (8, 8),
        f"{prefix}self_attn.k_proj.weight": (4, 8),
        f"{prefix}self_attn.v_proj.weight": (4, 8),
        f"{prefix}self_attn.o_proj.weight": (8, 8),
    }
    for part in feed_forward:
        shapes |= {
            f"{prefix}{part}gate_proj.weight": (16, 8),
            f"{prefix}{part}up_proj.weight": (16, 8),
            f"{prefix}{part}down_proj.weight": (8, 16),
        }
    return shapes


def _codec_shapes() -> Shapes:
    books: Shapes = {f"quantizer.quantizers.{number}.codebook.embed": (1_024, 2) for number in range(8)}
    return books | {"acoustic_decoder.conv1.weight": (4, 4, 3)}


def _tokenizer(*special: str) -> bytes:
    return _json({"added_tokens": [{"id": number, "content": token} for number, token in enumerate(special)]})


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content).encode()

"""Checks, without loading it, that a checkpoint is one that the engines can load."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from higgs_install.checkpoint import NotWeights, Shape, parameters, read_json, tensor_shapes

RATE: Final = 24_000  # the codec's sample rate, in Hz
CODEBOOKS: Final = 8
CODES: Final = 1_024  # in a codebook
OLD_TYPE: Final = "higgs_audio"  # in 2025, before transformers knew the model
BUNDLED: Final = "tied.embedding.modality_embeddings.0."  # in v3: the audio embeddings, and the codec below `model.`

_SPECIAL: Final = {
    "v2": ("<|begin_of_text|>", "<|eot_id|>", "<|audio_out_bos|>", "<|audio_eos|>", "<|AUDIO_OUT|>"),
    "v3": ("<|tts|>", "<|text|>", "<|audio|>", "<|ref_audio|>", "<|ref_text|>"),
}
_ARCHITECTURES: Final = {
    "v2": ("higgs_audio_v2", "HiggsAudioV2ForConditionalGeneration"),
    "v3": ("higgs_multimodal_qwen3", "HiggsMultimodalQwen3ForConditionalGeneration"),
    "codec": ("higgs_audio_v2_tokenizer", "HiggsAudioV2TokenizerModel"),
}

Expected = Iterator[tuple[str, Shape]]


def check_v2(weights: Path) -> dict[str, int]:
    """Returns how many tensors and parameters there are. Raises NotWeights."""
    config = _config(weights, "v2")
    _check_tokenizer(weights, "v2")
    read_json(weights / "processor_config.json")
    template = read_json(weights / "tokenizer_config.json").get("chat_template")
    if not template and not (weights / "chat_template.jinja").is_file():
        raise NotWeights(f"{weights / 'chat_template.jinja'} is not there: prompts are made by it")
    return _check_shapes(tensor_shapes(weights), _v2_shapes(config), weights)


def check_v3(weights: Path) -> dict[str, int]:
    """Returns how many tensors and parameters there are, with the codec's. Raises NotWeights."""
    config = _config(weights, "v3")
    _check_tokenizer(weights, "v3")
    tensors = tensor_shapes(weights)
    codec = {name.removeprefix(f"{BUNDLED}model."): tensor for name, tensor in tensors.items()}
    _check_quantizers(codec, f"{weights} (the codec in it)")
    return _check_shapes(tensors, _v3_shapes(config), weights)


def check_codec(codec: Path) -> dict[str, int]:
    """Returns how many tensors and parameters there are. Raises NotWeights."""
    config = _config(codec, "codec")
    rate = config.get("sample_rate", RATE)
    if rate != RATE or read_json(codec / "preprocessor_config.json").get("sampling_rate") != RATE:
        raise NotWeights(f"{codec} is a codec for {rate} Hz: Higgs needs one for {RATE}")
    tensors = tensor_shapes(codec)
    _check_quantizers(tensors, str(codec))
    return _sizes(tensors)


def _config(folder: Path, kind: str) -> dict[str, Any]:
    config = read_json(folder / "config.json")
    model_type, architecture = _ARCHITECTURES[kind]
    found = config.get("model_type")
    if found == OLD_TYPE:
        raise NotWeights(
            f"{folder} has the layout of 2025 (model_type {OLD_TYPE}), which neither vLLM-Omni nor transformers reads: "
            "pin a revision later than 2026-04-04 in the lock"
        )
    if found != model_type or architecture not in config.get("architectures", [architecture]):
        raise NotWeights(f"{folder}: {found}, {config.get('architectures')} where {model_type}, {architecture} belongs")
    return config


def _check_tokenizer(folder: Path, family: str) -> None:
    """The engines look these up by name; a tokenizer without them would speak nonsense."""
    there = {token.get("content") for token in read_json(folder / "tokenizer.json").get("added_tokens", [])}
    missing = [token for token in _SPECIAL[family] if token not in there]
    if missing:
        raise NotWeights(
            f"{folder / 'tokenizer.json'} lacks {', '.join(missing)}: it belongs to another model than Higgs {family}"
        )
    read_json(folder / "tokenizer_config.json")


def _check_shapes(tensors: Mapping[str, Shape], expected: Expected, folder: Path) -> dict[str, int]:
    for name, shape in expected:
        found = tensors.get(name)
        if found is None:
            raise NotWeights(f"{folder} has no tensor {name}")
        if found != shape:
            raise NotWeights(f"{folder}: {name} is {list(found)} where config.json makes it {list(shape)}")
    return _sizes(tensors)


def _check_quantizers(codec: Mapping[str, Shape], where: str) -> None:
    for number in range(CODEBOOKS):
        book = codec.get(f"quantizer.quantizers.{number}.codebook.embed")
        if book is None or book[0] != CODES:
            raise NotWeights(f"{where} has no codebook {number} of {CODES} codes: it is not the codec of Higgs")
    if not any(name.startswith("acoustic_decoder.") for name in codec):
        raise NotWeights(f"{where} has no acoustic_decoder, which makes the sound")


def _sizes(tensors: Mapping[str, Shape]) -> dict[str, int]:
    return {"tensors": len(tensors), "parameters": parameters(tensors)}


def _v2_shapes(config: Mapping[str, Any]) -> Expected:
    hidden, audio = config["hidden_size"], config["num_codebooks"] * config["codebook_size"]
    yield "model.embed_tokens.weight", (config["vocab_size"], hidden)
    yield "model.embed_audio_tokens.embed_audio_tokens.weight", (audio, hidden)
    yield "audio_lm_head.weight", (audio, hidden)
    yield "model.norm.weight", (hidden,)
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        yield from _attention(prefix, config)
        yield from _feed_forward(f"{prefix}mlp.", config)
        yield from _feed_forward(f"{prefix}audio_mlp.", config)


def _v3_shapes(config: Mapping[str, Any]) -> Expected:
    text, audio = config["text_config"], config["audio_encoder_config"]
    hidden = text["hidden_size"]
    yield "tied.embedding.text_embedding.weight", (text["vocab_size"], hidden)
    yield f"{BUNDLED}embedding.weight", (audio["num_codebooks"] * audio["vocab_size"], hidden)
    yield "body.norm.weight", (hidden,)
    for layer in range(text["num_hidden_layers"]):
        prefix = f"body.layers.{layer}."
        yield from _attention(prefix, text)
        yield from _feed_forward(f"{prefix}mlp.", text)


def _attention(prefix: str, config: Mapping[str, Any]) -> Expected:
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    head = config.get("head_dim") or hidden // heads
    yield f"{prefix}self_attn.q_proj.weight", (heads * head, hidden)
    yield f"{prefix}self_attn.k_proj.weight", (config["num_key_value_heads"] * head, hidden)
    yield f"{prefix}self_attn.v_proj.weight", (config["num_key_value_heads"] * head, hidden)
    yield f"{prefix}self_attn.o_proj.weight", (hidden, heads * head)


def _feed_forward(prefix: str, config: Mapping[str, Any]) -> Expected:
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    yield f"{prefix}gate_proj.weight", (inner, hidden)
    yield f"{prefix}up_proj.weight", (inner, hidden)
    yield f"{prefix}down_proj.weight", (hidden, inner)

"""A tokenizer of bytes with the special tokens and the chat template of Higgs Audio v2."""

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

# The ids of the published tokenizer. vLLM-Omni has some of them in its code.
SPECIAL = {
    "<|begin_of_text|>": 128000,
    "<|end_of_text|>": 128001,
    "<|start_header_id|>": 128006,
    "<|end_header_id|>": 128007,
    "<|eot_id|>": 128009,
    "<|audio_bos|>": 128011,
    "<|audio_eos|>": 128012,
    "<|audio_out_bos|>": 128013,
    "<|reserved_special_token_6|>": 128014,
    "<|AUDIO|>": 128015,
    "<|AUDIO_OUT|>": 128016,
    "<|scene_desc_start|>": 128017,
    "<|scene_desc_end|>": 128018,
    "<|recipient|>": 128019,
}
FIRST_SPECIAL = 128000
SIZE = 128256

# Renders as the published template does: a system turn with the scene in it, then text and audio in turns.
CHAT_TEMPLATE = """\
{{- bos_token -}}
{%- macro text(content) -%}
    {%- if content is string -%}{{ content | trim }}{%- else -%}
    {%- for item in content if item.type == 'text' -%}{{ item.text | trim }}{%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
{%- for message in messages -%}
    {%- if message.role == 'scene' -%}{%- continue -%}{%- endif -%}
    {{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' -}}
    {%- if message.role == 'assistant' -%}
        {{- '<|audio_out_bos|><|AUDIO_OUT|><|audio_eos|>' -}}
    {%- else -%}
        {{- text(message.content) -}}
    {%- endif -%}
    {%- if message.role == 'system' and messages | length > 1 and messages[1].role == 'scene' -%}
        {{- '\\n\\n<|scene_desc_start|>\\n' + text(messages[1].content) + '\\n<|scene_desc_end|>' -}}
    {%- endif -%}
    {{- '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n<|audio_out_bos|>' -}}
{%- endif -%}
"""


def bytes_tokenizer(*, published_ids: bool) -> PreTrainedTokenizerFast:
    """``published_ids``: every special token has its published id, with unused tokens before and between them."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {character: number for number, character in enumerate(alphabet)}
    special = list(SPECIAL)
    if published_ids:
        vocabulary |= {f"\u2400{number}": number for number in range(len(alphabet), FIRST_SPECIAL)}
        names = {number: token for token, number in SPECIAL.items()}
        special = [names.get(number, f"<|reserved_{number}|>") for number in range(FIRST_SPECIAL, SIZE)]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|begin_of_text|>",
        eos_token="<|eot_id|>",
        pad_token="<|end_of_text|>",
    )

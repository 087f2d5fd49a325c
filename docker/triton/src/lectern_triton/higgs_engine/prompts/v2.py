"""The prompt of Higgs Audio v2: the instruction with the scene, the recordings with their texts, the text to speak.

The checkpoint's chat template and tokenizer make it. The library's processor would encode every recording anew; this
module is given the codes, and makes the same prompt.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from transformers import AutoFeatureExtractor, AutoTokenizer, HiggsAudioV2Processor, HiggsAudioV2TokenizerModel

from lectern_triton.higgs_engine.codebooks import CODEBOOKS, Codes, Rows, delayed
from lectern_triton.higgs_engine.driver import BadRequest
from lectern_triton.higgs_engine.prompts.control_tokens import ControlTokens

INSTRUCTION: Final = "Generate audio following instruction."


@dataclass(frozen=True)
class Spoken:
    """An encoded recording and what is said in it."""

    text: str
    codes: Codes


@dataclass(frozen=True)
class Prompt:
    """`rows` are the delayed codes of all recordings, one row for each place that `ids` has for audio."""

    ids: list[int]
    rows: Rows


class Prompts:
    """Makes prompts. The processor gets `codec`, which it would otherwise load from a path in the checkpoint."""

    def __init__(self, folder: Path, codec: HiggsAudioV2TokenizerModel) -> None:
        self.processor = _processor(folder, codec)
        tokens = self.processor.tokenizer.added_tokens_decoder.values()
        self._plain = ControlTokens(token.content for token in tokens).escaped

    def build(self, text: str, scene: str, before: Sequence[Spoken]) -> Prompt:
        """Returns the prompt for a text. `before` are the recordings, the reference first. Raises BadRequest."""
        if not all(spoken.text.strip() for spoken in before):
            raise BadRequest("Higgs Audio v2 must know what is said in a recording: send its text along")
        messages = conversation(self._plain(text), self._plain(scene), [self._plain(spoken.text) for spoken in before])
        written = self.processor.tokenizer.apply_chat_template(
            messages, chat_template=self.processor.chat_template, add_generation_prompt=True, tokenize=False
        )
        recordings = [delayed(spoken.codes) for spoken in before]
        parts = written.split(self.processor.audio_token)
        if len(parts) != len(recordings) + 1:
            raise ValueError("the checkpoint's chat template does not keep one place for each recording")
        places = [self.processor.get_audio_tokens(len(rows)) for rows in recordings]
        whole = "".join(part + place for part, place in zip(parts, [*places, ""], strict=True))
        ids = self.processor.tokenizer(whole, add_special_tokens=False)["input_ids"]
        return Prompt(ids, np.concatenate(recordings) if recordings else np.empty((0, CODEBOOKS), np.int64))


def conversation(text: str, scene: str, before: Sequence[str]) -> list[dict[str, Any]]:
    """Returns the messages for the chat template. The audio of the recordings comes separately."""

    def said(role: str, words: str) -> dict[str, Any]:
        return {"role": role, "content": [{"type": "text", "text": words}]}

    messages = [said("system", INSTRUCTION)]
    if scene.strip():
        messages.append(said("scene", scene))
    for words in before:
        messages += [said("user", words), {"role": "assistant", "content": [{"type": "audio"}]}]
    return [*messages, said("user", text)]


def _processor(folder: Path, codec: HiggsAudioV2TokenizerModel) -> HiggsAudioV2Processor:
    """Builds the processor from the checkpoint's parts: loaded whole, it would load the codec from another path."""
    settings = json.loads((folder / "processor_config.json").read_text())
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    template = folder / "chat_template.jinja"
    return HiggsAudioV2Processor(
        AutoFeatureExtractor.from_pretrained(folder, local_files_only=True),
        tokenizer,
        codec,
        template.read_text() if template.exists() else tokenizer.chat_template,
        **{name: value for name, value in settings.items() if name.startswith("audio_") and name != "audio_tokenizer"},
    )

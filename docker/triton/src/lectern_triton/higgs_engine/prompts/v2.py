"""The prompt of Higgs Audio v2: the instruction with the scene, what was spoken before, and the text to speak.

The checkpoint's own chat template writes it and its own tokenizer reads it. The library's processor would also encode
every recording anew; given codes instead, the prompt is the same one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from transformers import AutoFeatureExtractor, AutoTokenizer, HiggsAudioV2Processor, HiggsAudioV2TokenizerModel

from lectern_triton.higgs_engine.codes import CODEBOOKS, Codes, Rows, delayed
from lectern_triton.higgs_engine.driver import BadRequest
from lectern_triton.higgs_engine.prompts.control import ControlTokens

INSTRUCTION: Final = "Generate audio following instruction."


@dataclass(frozen=True)
class Spoken:
    """A recording, encoded, and what is said in it."""

    text: str
    codes: Codes


@dataclass(frozen=True)
class Prompt:
    """``rows``: the recordings one after the other; one row for each place that `ids` keeps for audio."""

    ids: list[int]
    rows: Rows


class Prompts:
    """``codec``: the processor's, which otherwise is loaded from wherever it was when the checkpoint was made."""

    def __init__(self, folder: Path, codec: HiggsAudioV2TokenizerModel) -> None:
        self.processor = _processor(folder, codec)
        tokens = self.processor.tokenizer.added_tokens_decoder.values()
        self._plain = ControlTokens(token.content for token in tokens).broken_up

    def build(self, text: str, scene: str, before: Sequence[Spoken]) -> Prompt:
        """``before``: the reference first. Raises BadRequest."""
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
    """As the chat template takes it; the audio of `before` comes separately."""

    def said(role: str, words: str) -> dict[str, Any]:
        return {"role": role, "content": [{"type": "text", "text": words}]}

    messages = [said("system", INSTRUCTION)]
    if scene.strip():
        messages.append(said("scene", scene))
    for words in before:
        messages += [said("user", words), {"role": "assistant", "content": [{"type": "audio"}]}]
    return [*messages, said("user", text)]


def _processor(folder: Path, codec: HiggsAudioV2TokenizerModel) -> HiggsAudioV2Processor:
    """Put it together from the checkpoint's parts: loaded whole, it would load the codec from a place of its own."""
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

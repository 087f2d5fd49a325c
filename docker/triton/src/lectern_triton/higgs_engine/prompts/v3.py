"""The prompt of Higgs Audio v3: the text of the reference, the reference, and the text to speak."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from transformers import PreTrainedTokenizerBase

from lectern_triton.higgs_engine.codebooks import Codes, Rows, delayed
from lectern_triton.higgs_engine.prompts.control_tokens import ControlTokens

START: Final = "<|tts|>"
REFERENCE_TEXT: Final = "<|ref_text|>"
REFERENCE: Final = "<|ref_audio|>"
TEXT: Final = "<|text|>"
AUDIO: Final = "<|audio|>"


@dataclass(frozen=True)
class Prompt:
    """`rows[i]` belongs at `places[i]` of `ids`, where any id stands."""

    ids: list[int]
    rows: Rows
    places: Sequence[int]


class Prompts:
    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Raises ValueError for the tokenizer of another model."""
        self._tokenizer = tokenizer
        vocabulary = tokenizer.get_added_vocab()
        marks = (START, REFERENCE_TEXT, REFERENCE, TEXT, AUDIO)
        if missing := [mark for mark in marks if mark not in vocabulary]:
            raise ValueError(f"the checkpoint's tokenizer does not know {' '.join(missing)}: it is not that of v3")
        self._ids = {mark: vocabulary[mark] for mark in marks}
        self._plain = ControlTokens(vocabulary).escaped

    def build(self, text: str, reference_text: str, reference: Codes) -> Prompt:
        """Returns the prompt for a text. `reference_text` may be empty."""
        rows = rows_of(reference)
        ids = [self._ids[START]]
        if reference_text.strip():
            ids += [self._ids[REFERENCE_TEXT], *self._read(reference_text)]
        ids.append(self._ids[REFERENCE])
        places = range(len(ids), len(ids) + len(rows))
        # Any id that does not mean audio to the sampler.
        ids += [self._ids[START]] * len(rows)
        ids += [self._ids[TEXT], *self._read(text), self._ids[AUDIO]]
        return Prompt(ids, rows, places)

    def _read(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(self._plain(text), add_special_tokens=False)
        return ids


def rows_of(codes: Codes) -> Rows:
    """Delay codes as v2 does, without the begin and end of the whole recording: 7 more rows than frames."""
    return np.ascontiguousarray(delayed(codes)[1:-1])

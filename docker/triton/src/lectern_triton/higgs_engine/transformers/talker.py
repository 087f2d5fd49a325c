"""The language model, which makes rows of codes from a prompt. It blocks, and one thread at a time may use it."""

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import torch
from transformers import HiggsAudioV2ForConditionalGeneration, StoppingCriteria, StoppingCriteriaList

from lectern_triton.higgs_engine.codebooks import END, Row
from lectern_triton.higgs_engine.messages import Sampling
from lectern_triton.higgs_engine.prompts.v2 import Prompt


class Talker:
    def __init__(self, folder: Path, device: str, dtype: str) -> None:
        self._model = _Tapped.from_pretrained(folder, dtype=dtype, local_files_only=True).to(device).eval()

    def talk(self, prompt: Prompt, sampling: Sampling, most: int, tell: Callable[[Row], None], stop: Event) -> None:
        """Calls `tell` with each row as it is made, at most `most` of them. The model ends with a row of ENDs.

        The seed sets torch's generators, which belong to the process, so nothing else may draw from them meanwhile.
        Nothing does: one request at a time is here, and the codec is kept from drawing.
        """
        model = self._model
        given = len(prompt.rows)
        ids = torch.tensor([prompt.ids], device=model.device)
        rows = torch.from_numpy(prompt.rows)[None].to(model.device)

        def tap(all_rows: torch.Tensor) -> None:
            if all_rows.shape[1] > given:
                tell(tuple(all_rows[0, -1].tolist()))

        model.tap = tap
        try:
            torch.manual_seed(sampling.seed)
            with torch.inference_mode():
                spoken = model.generate(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    audio_input_ids=rows,
                    audio_input_ids_mask=torch.ones(rows.shape[:2], dtype=torch.bool, device=model.device),
                    max_new_tokens=most,
                    stopping_criteria=StoppingCriteriaList([_Stopped(stop)]),
                    **_draws(sampling),
                )
            tap(spoken)  # the last row, after which the model is not asked for another
        finally:
            model.tap = None

    def probe(self) -> None:
        """Raises an exception if the device does not work."""
        torch.ones(1, device=self._model.device).item()


def _draws(sampling: Sampling) -> dict[str, Any]:
    if sampling.temperature == 0:
        return {"do_sample": False}
    return {
        "do_sample": True,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
    }


def is_end(row: Row) -> bool:
    return all(code == END for code in row)


class _Tapped(HiggsAudioV2ForConditionalGeneration):  # type: ignore[misc] # untyped
    """The library streams only the ids of text. The rows of audio pass here before each step."""

    tap: Callable[[torch.Tensor], None] | None = None

    # The library refuses an attention mask unless a parameter is named `kwargs`.
    def prepare_inputs_for_generation(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the library's
        rows = kwargs.get("audio_input_ids")
        if self.tap is not None and rows is not None:
            self.tap(rows)
        return super().prepare_inputs_for_generation(*args, **kwargs)


class _Stopped(StoppingCriteria):  # type: ignore[misc] # untyped
    def __init__(self, stop: Event) -> None:
        self._stop = stop

    def __call__(self, input_ids: torch.Tensor, scores: object, **_: object) -> torch.Tensor:  # noqa: ARG002
        return torch.full((input_ids.shape[0],), self._stop.is_set(), device=input_ids.device)

"""The talker of Higgs Audio v3, with two faults corrected that let requests change each other's sound.

- vLLM-Omni 0.30.0 gives each request a generator of its own, but in a step in which another request begins it draws a
  token from each of them and discards it.
- It passes on codes as a view of memory that the next step overwrites. Another thread reads them: when that is late, or
  rows of the batch have moved, a request continues with the codes of another.
"""

from dataclasses import replace
from typing import Any

import torch
from vllm.config import VllmConfig
from vllm.v1.sample.metadata import SamplingMetadata
from vllm_omni.model_executor.models.higgs_audio_v3.higgs_audio_v3_talker import (
    HiggsAudioV3TalkerForConditionalGeneration,
)


class Talker(HiggsAudioV3TalkerForConditionalGeneration):  # type: ignore[misc] # untyped
    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        super().__init__(vllm_config=vllm_config, prefix=prefix)
        self._generators: dict[str, torch.Generator] = {}

    def on_requests_finished(self, finished_req_ids: set[str]) -> None:
        super().on_requests_finished(finished_req_ids)
        for request in finished_req_ids:
            self._generators.pop(request, None)

    def _sample_audio_codes(
        self, logits_2d: torch.Tensor, sampling_metadata: SamplingMetadata, num_codebooks: int
    ) -> torch.Tensor:
        own = {
            row: self._own(self._last_batch_req_ids[row], generator)
            for row, generator in sampling_metadata.generators.items()
        }
        codes: torch.Tensor = super()._sample_audio_codes(
            logits_2d, replace(sampling_metadata, generators=own), num_codebooks
        )
        return codes

    def postprocess(self, *given: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - upstream's
        """Returns what a request has made in this step: its codes, or nothing."""
        made: dict[str, Any] = super().postprocess(*given, **more)
        if made:
            made["codes"]["audio"] = made["codes"]["audio"].clone()
        return made

    def _own(self, request: str, theirs: torch.Generator) -> torch.Generator:
        if (own := self._generators.get(request)) is None:
            own = torch.Generator(theirs.device).manual_seed(theirs.initial_seed())
            self._generators[request] = own
        return own

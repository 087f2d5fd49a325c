"""Higgs Audio v2's talker, with three things set right that are wrong in vLLM-Omni 0.30.0.

- It keeps where a request is by its row in the batch. As requests come and go, rows move, and those that speak at the
  same time go on from each other's state: codebooks begin anew in the middle of a word.
- It samples with a temperature of 1, whatever is asked for, and without a seed.
- It cuts the last frame off.

What is drawn here is what transformers draws: the same logits and the same seed give the same codes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from vllm.config import VllmConfig
from vllm.v1.outputs import SamplerOutput
from vllm.v1.sample.metadata import SamplingMetadata
from vllm.v1.sample.ops.topk_topp_sampler import apply_top_k_top_p
from vllm_omni.model_executor.models.higgs_audio_v2.higgs_audio_v2_talker import (
    HiggsAudioV2TalkerForConditionalGeneration,
)

from lectern_triton.higgs_engine.codes import BEGIN, CODEBOOKS, END

WINDOW: Final = 7  # rows, in which a code that stands
REPEATS: Final = 2  # times is drawn again, as the published generation config says
NO_ROW: Final = -1  # in place of codes


@dataclass
class Place:
    """How far a request is."""

    last: torch.Tensor
    """Rows, of shape [WINDOW or fewer, CODEBOOKS], those of its recordings first."""
    made: int = 0
    """Rows. In the first all codebooks begin; in each further one, one more of them has codes."""
    ended: int = 0
    """Codebooks that are at their end: after the first end, one more in each row."""


class Talker(HiggsAudioV2TalkerForConditionalGeneration):  # type: ignore[misc] # untyped
    supports_omni_decode_step_metadata = True  # so that the runner says whose rows they are

    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        super().__init__(vllm_config=vllm_config, prefix=prefix)
        self._batch: Sequence[str] = ()
        """Requests, in the order of their rows."""
        self._places: dict[str, Place] = {}

    def update_decode_step_metadata(self, *, req_ids: Sequence[str], **_: object) -> None:
        """Called before each step."""
        self._batch = list(req_ids)

    def on_requests_finished(self, finished_req_ids: set[str]) -> None:
        for request in finished_req_ids:
            self._places.pop(request, None)

    def _maybe_apply_ref_audio_substitution(
        self, hidden_states: torch.Tensor, input_ids: torch.Tensor, info_dicts: Sequence[Mapping[str, Any]] | None
    ) -> torch.Tensor:
        for request, about in zip(self._batch, info_dicts or (), strict=False):
            if request not in self._places:
                rows = about["audio_input_ids"][-WINDOW:].to(hidden_states.device, torch.long)
                self._places[request] = Place(rows)
        embedded: torch.Tensor = super()._maybe_apply_ref_audio_substitution(hidden_states, input_ids, info_dicts)
        return embedded

    def _maybe_apply_audio_feedback(self, hidden_states: torch.Tensor, input_ids: torch.Tensor) -> torch.Tensor:  # noqa: ARG002 - upstream's
        """Put the row that a request has made last where its next token is: the last of its tokens in this step."""
        speaking = [(row, place) for row, name in enumerate(self._batch) if (place := self._places.get(name))]
        speaking = [(row, place) for row, place in speaking if place.made]
        if not speaking:
            return hidden_states
        ends = self._last_step_query_start_loc
        tokens = ends[torch.tensor([row + 1 for row, _ in speaking], device=ends.device)] - 1
        codes = torch.stack([place.last[-1] for _, place in speaking]) + self.audio_tokens_offsets
        embedded = self.audio_codebook_embeddings(codes).sum(dim=-2)
        return hidden_states.index_copy(0, tokens.to(hidden_states.device, torch.long), embedded)

    def sample(self, logits: torch.Tensor, sampling_metadata: SamplingMetadata) -> SamplerOutput:
        """Draw a row for each request. Its token says no more than whether it goes on."""
        hidden = self._last_logits_hidden
        if len(self._batch) != len(logits) or hidden is None or len(hidden) != len(logits):
            raise RuntimeError(f"{len(logits)} rows for {len(self._batch)} requests: prompts must not be split")
        places = [self._places[request] for request in self._batch]
        scores = self.audio_lm_head(hidden).view(len(places), CODEBOOKS, -1).float()
        _restrict(scores, places)
        generators = [sampling_metadata.generators.get(row) for row in range(len(places))]
        rows = _draw(scores, sampling_metadata, generators)
        for place, row, row_scores, generator in zip(places, rows, scores, generators, strict=True):
            _draw_repeated_again(place, row, row_scores, generator)
        ends = rows == END
        some, every = torch.stack([ends.any(dim=1), ends.all(dim=1)]).tolist()
        for place, row, any_ended in zip(places, rows, some, strict=True):
            place.made += 1
            place.ended += place.ended > 0 or any_ended
            place.last = torch.cat([place.last, row[None]])[-WINDOW:]
        over = torch.tensor(every, device=rows.device)
        self._last_audio_codes = rows.masked_fill(over[:, None], NO_ROW)  # from where upstream hands them on
        self._postprocess_cursor = 0
        tokens = torch.full_like(over, self.config.audio_token_id, dtype=torch.int32)
        tokens.masked_fill_(over, self.config.audio_eos_token_id)
        return SamplerOutput(sampled_token_ids=tokens[:, None], logprobs_tensors=None)


def _restrict(scores: torch.Tensor, places: Sequence[Place]) -> None:
    """Leave to each codebook what may stand there. ``scores``: of shape [requests, CODEBOOKS, codes]."""
    book = torch.arange(CODEBOOKS, device=scores.device)
    made = torch.tensor([place.made for place in places], device=scores.device)[:, None]
    ended = torch.tensor([place.ended for place in places], device=scores.device)[:, None]
    begins = book >= made
    ends = book < ended
    may_end = (book == 0) & (ended == 0) & ~begins  # only the first codebook says when
    for forced, allowed, code in ((begins, begins, BEGIN), (ends, ends | may_end, END)):
        kept = scores[..., code].clone()
        scores.masked_fill_(forced[..., None], -torch.inf)
        scores[..., code] = kept.masked_fill(~allowed, -torch.inf)


def _draw(
    scores: torch.Tensor, sampling: SamplingMetadata, generators: Sequence[torch.Generator | None]
) -> torch.Tensor:
    """Of shape [requests, CODEBOOKS]: each request as it was asked, with a generator of its own."""

    def of_each(values: torch.Tensor | None, otherwise: float) -> torch.Tensor:
        given = values if values is not None else torch.full((len(scores),), otherwise, device=scores.device)
        return given[: len(scores)].repeat_interleave(CODEBOOKS)

    warmed = scores.flatten(0, 1) / of_each(sampling.temperature, 1.0)[:, None]
    codes = warmed.shape[1]
    top_k = of_each(sampling.top_k, codes).long().clamp(1, codes)
    chances = apply_top_k_top_p(warmed, top_k, of_each(sampling.top_p, 1.0)).softmax(dim=-1).view_as(scores)
    return torch.cat(
        [torch.multinomial(each, 1, generator=own).T for each, own in zip(chances, generators, strict=True)]
    )


def _draw_repeated_again(
    place: Place, row: torch.Tensor, scores: torch.Tensor, generator: torch.Generator | None
) -> None:
    """In place, and at a temperature of 1: else a model goes round in circles."""
    repeated = ((place.last == row) & (place.last < BEGIN)).sum(dim=0) >= REPEATS
    if repeated.any():
        row[repeated] = torch.multinomial(scores[repeated].softmax(dim=-1), 1, generator=generator)[:, 0]

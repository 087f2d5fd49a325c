"""The talker of Higgs Audio v2, with three faults of vLLM-Omni 0.30.0 corrected.

- It keeps the state of a request by its row in the batch. Rows move as requests come and go, so that requests continue
  from each other's state: codebooks begin anew in the middle of a word.
- It samples at a temperature of 1, whatever is requested, and without a seed.
- It cuts off the last frame.

Sampling is the same as in transformers: the same logits and the same seed give the same codes.
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

from lectern_triton.higgs_engine.codebooks import BEGIN, CODEBOOKS, END

WINDOW: Final = 7  # rows: a code that stands in them
REPEATS: Final = 2  # times is drawn again, as the published generation config says
NO_ROW: Final = -1  # in state of codes


@dataclass
class RequestState:
    """How far a request has come."""

    last: torch.Tensor
    """The last rows, of shape [WINDOW or fewer, CODEBOOKS]; at first those of its recordings."""
    made: int = 0
    """The number of rows made. All codebooks begin in the first; in each further row one more of them has codes."""
    ended: int = 0
    """The number of codebooks that have ended: after the first end, one more in each row."""


class Talker(HiggsAudioV2TalkerForConditionalGeneration):  # type: ignore[misc] # untyped
    supports_omni_decode_step_metadata = True  # makes the runner say which requests the rows belong to

    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        super().__init__(vllm_config=vllm_config, prefix=prefix)
        self._batch: Sequence[str] = ()
        """The requests, in the order of their rows."""
        self._states: dict[str, RequestState] = {}

    def update_decode_step_metadata(self, *, req_ids: Sequence[str], **_: object) -> None:
        """Called before each step."""
        self._batch = list(req_ids)

    def on_requests_finished(self, finished_req_ids: set[str]) -> None:
        for request in finished_req_ids:
            self._states.pop(request, None)

    def _maybe_apply_ref_audio_substitution(
        self, hidden_states: torch.Tensor, input_ids: torch.Tensor, info_dicts: Sequence[Mapping[str, Any]] | None
    ) -> torch.Tensor:
        for request, information in zip(self._batch, info_dicts or (), strict=False):
            if request not in self._states:
                rows = information["audio_input_ids"][-WINDOW:].to(hidden_states.device, torch.long)
                self._states[request] = RequestState(rows)
        embedded: torch.Tensor = super()._maybe_apply_ref_audio_substitution(hidden_states, input_ids, info_dicts)
        return embedded

    def _maybe_apply_audio_feedback(self, hidden_states: torch.Tensor, input_ids: torch.Tensor) -> torch.Tensor:  # noqa: ARG002 - upstream's
        """Puts the last row of each request at its next token, which is the last of its tokens in this step."""
        speaking = [(row, state) for row, name in enumerate(self._batch) if (state := self._states.get(name))]
        speaking = [(row, state) for row, state in speaking if state.made]
        if not speaking:
            return hidden_states
        ends = self._last_step_query_start_loc
        tokens = ends[torch.tensor([row + 1 for row, _ in speaking], device=ends.device)] - 1
        codes = torch.stack([state.last[-1] for _, state in speaking]) + self.audio_tokens_offsets
        embedded = self.audio_codebook_embeddings(codes).sum(dim=-2)
        return hidden_states.index_copy(0, tokens.to(hidden_states.device, torch.long), embedded)

    def sample(self, logits: torch.Tensor, sampling_metadata: SamplingMetadata) -> SamplerOutput:
        """Draws a row for each request. The token that is returned only says whether the request goes on."""
        hidden = self._last_logits_hidden
        if len(self._batch) != len(logits) or hidden is None or len(hidden) != len(logits):
            raise RuntimeError(f"{len(logits)} rows for {len(self._batch)} requests: prompts must not be split")
        states = [self._states[request] for request in self._batch]
        scores = self.audio_lm_head(hidden).view(len(states), CODEBOOKS, -1).float()
        _restrict(scores, states)
        generators = [sampling_metadata.generators.get(row) for row in range(len(states))]
        rows = _draw(scores, sampling_metadata, generators)
        for state, row, row_scores, generator in zip(states, rows, scores, generators, strict=True):
            _redraw_repeated(state, row, row_scores, generator)
        ends = rows == END
        some, every = torch.stack([ends.any(dim=1), ends.all(dim=1)]).tolist()
        for state, row, any_ended in zip(states, rows, some, strict=True):
            state.made += 1
            state.ended += state.ended > 0 or any_ended
            state.last = torch.cat([state.last, row[None]])[-WINDOW:]
        over = torch.tensor(every, device=rows.device)
        self._last_audio_codes = rows.masked_fill(over[:, None], NO_ROW)  # upstream passes them on from here
        self._postprocess_cursor = 0
        tokens = torch.full_like(over, self.config.audio_token_id, dtype=torch.int32)
        tokens.masked_fill_(over, self.config.audio_eos_token_id)
        return SamplerOutput(sampled_token_ids=tokens[:, None], logprobs_tensors=None)


def _restrict(scores: torch.Tensor, states: Sequence[RequestState]) -> None:
    """Mask the codes that may not come next in each codebook. `scores` has the shape [requests, CODEBOOKS, codes]."""
    book = torch.arange(CODEBOOKS, device=scores.device)
    made = torch.tensor([state.made for state in states], device=scores.device)[:, None]
    ended = torch.tensor([state.ended for state in states], device=scores.device)[:, None]
    begins = book >= made
    ends = book < ended
    may_end = (book == 0) & (ended == 0) & ~begins  # only the first codebook decides when
    for forced, allowed, code in ((begins, begins, BEGIN), (ends, ends | may_end, END)):
        kept = scores[..., code].clone()
        scores.masked_fill_(forced[..., None], -torch.inf)
        scores[..., code] = kept.masked_fill(~allowed, -torch.inf)


def _draw(
    scores: torch.Tensor, sampling: SamplingMetadata, generators: Sequence[torch.Generator | None]
) -> torch.Tensor:
    """Draws codes of shape [requests, CODEBOOKS], each request with its own parameters and generator."""

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


def _redraw_repeated(
    state: RequestState, row: torch.Tensor, scores: torch.Tensor, generator: torch.Generator | None
) -> None:
    """Draws codes again that repeat, in place and at a temperature of 1: otherwise a model may loop."""
    repeated = ((state.last == row) & (state.last < BEGIN)).sum(dim=0) >= REPEATS
    if repeated.any():
        row[repeated] = torch.multinomial(scores[repeated].softmax(dim=-1), 1, generator=generator)[:, 0]

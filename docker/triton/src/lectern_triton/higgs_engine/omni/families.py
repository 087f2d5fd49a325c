"""The differences between the families v2 and v3 of Higgs Audio."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch

from lectern_triton.higgs_engine.codebooks import Codes, Rows
from lectern_triton.higgs_engine.driver import BadRequest
from lectern_triton.higgs_engine.messages import Recording, Speak
from lectern_triton.higgs_engine.prompts import v2, v3

Encode = Callable[[Recording], Awaitable[Codes]]


@dataclass(frozen=True)
class Prompt:
    """`information` goes to the model's code, which puts the embeddings of the rows at their places."""

    ids: list[int]
    information: Mapping[str, Any]


class Family(Protocol):
    name: Literal["v2", "v3"]
    streams: bool
    seeds: bool
    stops: list[int]
    """The token ids at which the talker stops."""
    extra_rows: int
    """Rows that the talker makes in addition to whole frames when it is stopped early."""

    async def prompt(self, request: Speak, reference: Encode, previous: Encode) -> Prompt:
        """Returns the prompt of a request. Raises BadRequest."""


class V2:
    name: Literal["v2", "v3"] = "v2"
    streams = False  # when it streams v2, vLLM-Omni 0.30.0 takes rows for frames: noise in 7 of 8 codebooks
    seeds = True
    stops = [128009, 128012]  # noqa: RUF012 - never changed
    extra_rows = 10

    def __init__(self, prompts: v2.Prompts) -> None:
        self._prompts = prompts

    async def prompt(self, request: Speak, reference: Encode, previous: Encode) -> Prompt:
        before = [v2.Spoken(request.reference.text, await reference(request.reference))]
        if request.previous is not None:
            before.append(v2.Spoken(request.previous.text, await previous(request.previous)))
        prompt = self._prompts.build(request.text, request.scene, before)
        return Prompt(prompt.ids, _information(prompt.rows))


class V3:
    name: Literal["v2", "v3"] = "v3"
    streams = True
    seeds = True
    stops = [151643, 151671]  # noqa: RUF012 - never changed
    extra_rows = 9

    def __init__(self, prompts: v3.Prompts) -> None:
        self._prompts = prompts

    async def prompt(self, request: Speak, reference: Encode, previous: Encode) -> Prompt:  # noqa: ARG002 - v2's
        if request.previous is not None:
            raise BadRequest("Higgs Audio v3 takes a reference only: leave out what was spoken before")
        if request.scene.strip():
            raise BadRequest("Higgs Audio v3 takes no instructions: leave them out")
        prompt = self._prompts.build(request.text, request.reference.text, await reference(request.reference))
        places = torch.tensor(prompt.places, dtype=torch.long)
        return Prompt(prompt.ids, {**_information(prompt.rows), "audio_placeholder_positions": places})


def _information(rows: Rows) -> dict[str, Any]:
    return {
        "audio_input_ids": torch.from_numpy(rows),
        "audio_input_ids_mask": torch.ones(len(rows), dtype=torch.bool),
        "ref_audio_cache_key": hashlib.sha256(rows.tobytes()).hexdigest(),
    }

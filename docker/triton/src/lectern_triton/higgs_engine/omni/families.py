"""What v2 and v3 do not have in common."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch

from lectern_triton.higgs_engine.codes import Codes, Rows
from lectern_triton.higgs_engine.driver import BadRequest
from lectern_triton.higgs_engine.prompts import v2, v3
from lectern_triton.higgs_engine.wire import Clip, Speak

Encode = Callable[[Clip], Awaitable[Codes]]


@dataclass(frozen=True)
class Prompt:
    """``about``: tensors for the model's own code, which puts the rows' embeddings into their places."""

    ids: list[int]
    about: Mapping[str, Any]


class Family(Protocol):
    name: Literal["v2", "v3"]
    streams: bool
    seeds: bool
    stops: list[int]
    """Token ids at which the talker ends."""
    idle: int
    """Rows that the talker makes beside those of whole frames when it is stopped before its end."""

    async def prompt(self, request: Speak, reference: Encode, previous: Encode) -> Prompt:
        """Raises BadRequest."""


class V2:
    name: Literal["v2", "v3"] = "v2"
    streams = False  # vLLM-Omni 0.30.0 hands on rows as frames when it streams v2: noise in 7 of 8 codebooks
    seeds = True
    stops = [128009, 128012]  # noqa: RUF012 - never changed
    idle = 10

    def __init__(self, prompts: v2.Prompts) -> None:
        self._prompts = prompts

    async def prompt(self, request: Speak, reference: Encode, previous: Encode) -> Prompt:
        before = [v2.Spoken(request.reference.text, await reference(request.reference))]
        if request.previous is not None:
            before.append(v2.Spoken(request.previous.text, await previous(request.previous)))
        prompt = self._prompts.build(request.text, request.scene, before)
        return Prompt(prompt.ids, _about(prompt.rows))


class V3:
    name: Literal["v2", "v3"] = "v3"
    streams = True
    seeds = True
    stops = [151643, 151671]  # noqa: RUF012 - never changed
    idle = 9

    def __init__(self, prompts: v3.Prompts) -> None:
        self._prompts = prompts

    async def prompt(self, request: Speak, reference: Encode, previous: Encode) -> Prompt:  # noqa: ARG002 - v2's
        if request.previous is not None:
            raise BadRequest("Higgs Audio v3 takes a reference only: leave out what was spoken before")
        if request.scene.strip():
            raise BadRequest("Higgs Audio v3 takes no instructions: leave them out")
        prompt = self._prompts.build(request.text, request.reference.text, await reference(request.reference))
        places = torch.tensor(prompt.places, dtype=torch.long)
        return Prompt(prompt.ids, {**_about(prompt.rows), "audio_placeholder_positions": places})


def _about(rows: Rows) -> dict[str, Any]:
    return {
        "audio_input_ids": torch.from_numpy(rows),
        "audio_input_ids_mask": torch.ones(len(rows), dtype=torch.bool),
        "ref_audio_cache_key": hashlib.sha256(rows.tobytes()).hexdigest(),
    }

"""The driver on vLLM-Omni: builds prompts, and reads the audio that the engine makes."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from vllm.inputs import tokens_input
from vllm.sampling_params import RequestOutputKind, SamplingParams
from vllm_omni.entrypoints.async_omni import AsyncOmni

from lectern_triton.higgs_engine.codebooks import Codes
from lectern_triton.higgs_engine.driver import BadRequest, OutOfFrames
from lectern_triton.higgs_engine.messages import FRAME, Ready, Recording, Sampling, Speak
from lectern_triton.higgs_engine.omni.families import Family, Prompt
from lectern_triton.higgs_engine.omni.loop_thread import LoopThread
from lectern_triton.higgs_engine.pcm import to_pcm
from lectern_triton.higgs_engine.references.cache import ReferenceCache

FEWEST: Final = 25  # frames of speech that must fit after a prompt
COLDEST: Final = 0.01  # at a temperature of 0 vLLM gives a request no generator, and thereby no seed


class OmniDriver:
    """vLLM runs in `loop_thread`; all methods run in the server's event loop."""

    def __init__(
        self, omni: AsyncOmni, loop_thread: LoopThread, family: Family, references: ReferenceCache, version: str
    ) -> None:
        self.ready = Ready(family=family.name, version=version, streams=family.streams, seeds=family.seeds)
        self._omni = omni
        self._loop_thread = loop_thread
        self._family = family
        self._references = references
        self._room = int(omni.engine.stage_vllm_configs[0].model_config.max_model_len)  # tokens, with the prompt
        self._codec_sampling = omni.default_sampling_params_list[1].clone()
        self._codec_sampling.output_kind = RequestOutputKind.DELTA

    async def speak(self, request: Speak) -> AsyncGenerator[bytes, None]:
        prompt = await self._family.prompt(request, self._reference, self._previous)
        frames = min(request.max_frames, self._room - len(prompt.ids) - self._family.extra_rows)
        if frames < min(FEWEST, request.max_frames):
            raise BadRequest(
                f"the recordings and the text take {len(prompt.ids)} of this model's {self._room} tokens, and leave "
                "no room for speech: send a shorter recording, or less text"
            )
        made = 0  # samples
        async with aclosing(self._loop_thread.iterate(lambda: self._generate(request, prompt, frames))) as chunks:
            async for audio in chunks:
                made += len(audio)
                yield to_pcm(audio)
        # Only the codec's stage reports how it ended. A talker that reached its limit has made all rows it may.
        if made >= frames * FRAME:
            raise OutOfFrames

    async def check(self) -> None:
        await self._loop_thread.wait(self._omni.check_health())

    async def close(self) -> None:
        await self._references.close()
        await asyncio.to_thread(self._end)

    async def _reference(self, recording: Recording) -> Codes:
        return await self._references.codes(recording.samples)

    async def _previous(self, recording: Recording) -> Codes:
        return await self._references.codes(recording.samples, keep=False)

    async def _generate(self, request: Speak, prompt: Prompt, frames: int) -> AsyncGenerator[NDArray[np.float32], None]:
        """Yields audio; runs in vLLM's event loop. Closing the generator ends the engine's work on the request."""
        given: Any = tokens_input(prompt_token_ids=prompt.ids)
        given["additional_information"] = dict(prompt.information)
        # The ids are the same for all references: without the salt, prefix caching would mix up voices.
        given["cache_salt"] = _salt(request)
        outputs = self._omni.generate(
            given,
            request_id=str(request.id),
            sampling_params_list=[self._sampling(request.sampling, frames), self._codec_sampling.clone()],
            output_modalities=["audio"],
        )
        async with aclosing(outputs) as each:
            async for output in each:
                if output.error:
                    raise RuntimeError(output.error)
                for audio in _tensors(output.multimodal_output):
                    if audio.numel():
                        yield audio.detach().float().cpu().numpy().reshape(-1)

    def _sampling(self, chosen: Sampling, frames: int) -> SamplingParams:
        return SamplingParams(
            temperature=max(chosen.temperature, COLDEST),
            top_p=chosen.top_p,
            top_k=chosen.top_k,
            seed=chosen.seed,
            max_tokens=frames + self._family.extra_rows,
            stop_token_ids=self._family.stops,
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,  # vLLM-Omni does not set it for parameters that it is given
        )

    def _end(self) -> None:
        self._loop_thread.close()
        self._omni.shutdown()


def _salt(request: Speak) -> str:
    digest = hashlib.sha256()
    recordings = [request.reference, *([request.previous] if request.previous is not None else [])]
    for part in (
        request.text,
        request.scene,
        *(part for recording in recordings for part in (recording.text, recording.samples)),
    ):
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


def _tensors(output: Any) -> Iterable[torch.Tensor]:  # noqa: ANN401 - one of several classes, or a dictionary
    audio = output.get("audio") if output else None
    if audio is None:
        return ()
    return audio if isinstance(audio, list) else (audio,)

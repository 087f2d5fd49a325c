"""How a voice sounds: a short sample, which is made once and kept."""

import asyncio
from typing import Final
from uuid import UUID

import structlog

from orchestrator.lib.errors.problem_details import summary
from orchestrator.speech.admission.controller import Requester
from orchestrator.speech.cache.pins import PreviewPins
from orchestrator.speech.planner.script import Script, Utterance
from orchestrator.speech.planner.timeline import Origin
from orchestrator.speech.service import Speech
from orchestrator.voices.custom.names import voice_id
from orchestrator.voices.preview_texts import preview_text

_DEADLINE: Final = 900.0  # seconds; in the batch lane a model that is busy may let it wait for long

log = structlog.stdlib.get_logger("lectern.speech")


class PreviewMaker:
    """Owns the samples that are being made for new voices. `close` ends those that are left."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self._pins = PreviewPins()
        self._tasks: set[asyncio.Task[None]] = set()

    async def script(self, account: UUID, voice: str, *, model: str | None = None) -> Script:
        """What the sample says, and in which voice. Raises what `Speech.manner` does."""
        chosen = await self._speech.manner(account, voice=voice, model=model)
        text = preview_text(chosen.language)
        script = await self._speech.plan_utterances([Utterance(text=text, manner=chosen, origin=Origin(text=text))])
        keys = [segment.key for segment in script.segments]
        own = voice_id(voice)
        await (self._pins.pin(keys) if own is None else self._pins.pin(keys, _owner(own)))
        return script

    def begin(self, account: UUID, voice: UUID) -> None:
        """Makes the sample of somebody's new voice; returns at once. If that fails, whoever asks for it is told."""
        task = asyncio.create_task(self._make(account, voice), name=f"preview {voice}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def forget(self, voice: UUID) -> None:
        """The voice is no more."""
        await self._pins.forget(_owner(voice))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _make(self, account: UUID, voice: UUID) -> None:
        try:
            async with asyncio.timeout(_DEADLINE):
                script = await self.script(account, str(voice))
                for segment in script.segments:
                    await self._speech.make(segment, Requester(account, "batch"))
        except Exception as error:  # noqa: BLE001 - it is made when it is asked for
            log.warning("preview not made", voice=str(voice), detail=summary(error)["detail"])


def _owner(voice: UUID) -> str:
    return f"voice {voice}"

"""Previews of voices: short samples, made once and pinned in the cache."""

import asyncio
from typing import Final
from uuid import UUID

import structlog

from lectern.voicing import Voicing
from orchestrator.accounts.requester import Requester
from orchestrator.lib.errors.problem_details import summary
from orchestrator.speech.cache.pins import PreviewPins
from orchestrator.speech.planner.planner import Planner
from orchestrator.speech.planner.script import Origin, Script, Utterance
from orchestrator.speech.service import SpeechService
from orchestrator.voices.custom.names import voice_id
from orchestrator.voices.preview_texts import preview_text

_DEADLINE: Final = 900.0  # seconds; in the batch lane a busy model may let it wait for long

log = structlog.stdlib.get_logger("lectern.speech")


class VoicePreviews:
    """Owns the previews that are being made of new voices. `close` ends those that are left."""

    def __init__(self, planner: Planner, speech: SpeechService) -> None:
        self._planner = planner
        self._speech = speech
        self._pins = PreviewPins()
        self._tasks: set[asyncio.Task[None]] = set()

    async def plan(self, requester: Requester, voice: str, *, model: str | None = None) -> Script:
        """Returns the script of a voice's preview, and pins its audio. Raises what the planner does."""
        voicing = await self._planner.resolve(Voicing(voice=voice, model=model), requester)
        text = preview_text(voicing.language)
        utterance = Utterance(text=text, voicing=voicing, origin=Origin(text=text))
        script = await self._planner.plan_utterances([utterance])
        keys = [segment.key for segment in script.segments]
        custom = voice_id(voice)
        await (self._pins.pin(keys) if custom is None else self._pins.pin(keys, _owner(custom)))
        return script

    def make_soon(self, account: UUID, voice: UUID) -> None:
        """Starts the preview of a new custom voice and returns. If it fails, the request that asks for it fails too."""
        task = asyncio.create_task(self._make(account, voice), name=f"preview {voice}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def forget(self, voice: UUID) -> None:
        """The voice was deleted."""
        await self._pins.forget(_owner(voice))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _make(self, account: UUID, voice: UUID) -> None:
        requester = Requester(account, "batch")
        try:
            async with asyncio.timeout(_DEADLINE):
                await self._speech.synthesize(await self.plan(requester, str(voice)), requester)
        except Exception as error:  # noqa: BLE001 - it is made when somebody asks for it
            log.warning("preview not made", voice=str(voice), detail=summary(error)["detail"])


def _owner(voice: UUID) -> str:
    return f"voice {voice}"

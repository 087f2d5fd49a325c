"""Previews of voices: short samples, made once and pinned in the cache. A job makes those of new custom voices."""

import asyncio
from typing import Final
from uuid import UUID

from lectern.voicing import Voicing
from orchestrator.accounts.requester import Requester
from orchestrator.jobs.queue import Kind, enqueue
from orchestrator.jobs.run import JobRun
from orchestrator.speech.cache.pins import PreviewPins
from orchestrator.speech.planner.planner import Planner
from orchestrator.speech.planner.script import Origin, Script, Utterance
from orchestrator.speech.service import SpeechService
from orchestrator.voices.names import voice_id

PREVIEW: Final = Kind("make_preview", queue="speech", priority=-10)
_DEADLINE: Final = 900.0  # seconds; in the batch lane a busy model may let it wait for long

_PREVIEW_TEXTS: Final = {
    "en": "This is how I sound. I can read you a whole book, if you like.",
    "de": "So klinge ich. Ich lese Ihnen gern ein ganzes Buch vor.",
    "es": "Así sueno yo. Si quiere, puedo leerle un libro entero.",
    "fr": "Voilà comment je parle. Je peux vous lire un livre entier, si vous voulez.",
    "hi": "मेरी आवाज़ ऐसी है। आप चाहें तो मैं पूरी किताब पढ़ सकती हूँ।",
    "it": "Ecco come parlo. Se vuole, posso leggerle un libro intero.",
    "ja": "これが私の声です。よろしければ、本を一冊お読みします。",
    "pt": "É assim que eu falo. Se quiser, posso ler um livro inteiro.",
    "zh": "这就是我的声音。如果你愿意，我可以为你读完一整本书。",  # noqa: RUF001
}
_OTHER_PREVIEW_TEXT: Final = "1, 2, 3, 4, 5."  # every voice reads numbers in its own language


class VoicePreviews:
    def __init__(self, planner: Planner, speech: SpeechService) -> None:
        self._planner = planner
        self._speech = speech
        self._pins = PreviewPins()

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

    async def make_soon(self, requester: Requester, voice: UUID) -> None:
        """Enqueues the preview of a new custom voice, in the transaction in progress."""
        name = f"preview {voice}"
        resource = f"/api/v1/voices/{voice}/preview"
        await enqueue(PREVIEW, requester.account, resource=resource, lock=name, queueing_lock=name, voice=str(voice))

    async def make(self, job: JobRun, voice: str) -> None:
        """Makes the preview of a custom voice. Raises what the planner and the model do."""
        async with asyncio.timeout(_DEADLINE):
            await self._speech.synthesize(await self.plan(job.requester, voice), job.requester)

    async def forget(self, voice: UUID) -> None:
        """The voice was deleted."""
        await self._pins.forget(_owner(voice))


def preview_text(language: str) -> str:
    """Returns what a voice of this language says in its preview."""
    return _PREVIEW_TEXTS.get(language.split("-", maxsplit=1)[0].lower(), _OTHER_PREVIEW_TEXT)


def _owner(voice: UUID) -> str:
    return f"voice {voice}"

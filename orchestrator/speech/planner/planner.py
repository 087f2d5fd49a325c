"""From a request to its script: finds the voices, checks the options, cuts the text. Each request enters it once."""

from collections.abc import Sequence

import msgspec

from lectern.voicing import Voicing, voice_name
from lectern_contract.voice_mixes import is_mix
from orchestrator.accounts.requester import Requester
from orchestrator.lib.database import is_outage
from orchestrator.lib.errors.problems import FieldErrors
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.lib.text_input import check_language
from orchestrator.speech.planner.dialogue import PlannedTurn, turns_of
from orchestrator.speech.planner.script import (
    Script,
    SegmentText,
    Utterance,
    script_of_block,
    script_of_blocks,
    script_of_utterances,
)
from orchestrator.speech.planner.voicing import ResolvedVoicing, resolve
from orchestrator.speech.schemas import Spoken
from orchestrator.speech.settings import SpeechSettings
from orchestrator.voices.catalog import Catalog
from orchestrator.voices.custom.lookup import CustomVoiceLookup
from orchestrator.voices.names import OPENAI_MODELS, OPENAI_VOICES
from orchestrator.voices.voice import Voice


class Planner:
    """All methods raise `BadRequest`, `TooLarge`, `NotFound` or `Unavailable`."""

    def __init__(
        self, catalog: Catalog, custom_voices: CustomVoiceLookup, threads: PriorityThreads, settings: SpeechSettings
    ) -> None:
        self._catalog = catalog
        self._custom_voices = custom_voices
        self._threads = threads
        self._settings = settings

    async def plan(self, request: Spoken, requester: Requester) -> Script:
        """The script of a text or a dialogue."""
        _check_compatibility(request)
        found: dict[Voicing, ResolvedVoicing] = {}  # a voice of several turns is looked for once
        utterances = []
        turns = turns_of(request, self._settings)
        voicing = request.voicing()
        for turn in turns:
            wanted = _of_turn(voicing, turn)
            # Without what is the request's.
            key = msgspec.structs.replace(wanted, lexicon=None, normalization=None, pauses=None)
            if key not in found:
                found[key] = await self.resolve(wanted, requester)
            utterances.append(Utterance(text=turn.text, voicing=found[key], origin=turn.origin, silence=turn.silence))
        return await self.plan_utterances(utterances)

    async def plan_utterances(self, utterances: Sequence[Utterance]) -> Script:
        return await self._threads.run(script_of_utterances, utterances, self._settings.first_seconds)

    async def plan_block(self, block: SegmentText, voicing: Voicing, requester: Requester) -> Script:
        """The script of a single block, made without a thread: whoever asks for a cached block waits for no encoder."""
        return script_of_block(block, await self.resolve(voicing, requester))

    async def plan_blocks(self, blocks: Sequence[SegmentText], voicing: Voicing, requester: Requester) -> Script:
        """The script of a document's blocks."""
        return await self._threads.run(script_of_blocks, blocks, await self.resolve(voicing, requester))

    async def resolve(self, voicing: Voicing, requester: Requester) -> ResolvedVoicing:
        """Uses the defaults for what the voicing leaves out."""
        model = None if voicing.model in OPENAI_MODELS else voicing.model or None
        return resolve(voicing, await self._voice(requester, voice_name(voicing.voice), model), self._settings)

    async def _voice(self, requester: Requester, voice: str | None, model: str | None) -> Voice:
        default_model, default_voice = self._settings.default_model, self._settings.default_voice
        if voice and not (model is None and voice in OPENAI_VOICES):
            custom = await self._custom_voice(requester, voice, model)
            if custom is not None:
                return custom
        if voice and voice.lower() in OPENAI_VOICES:
            voice = await self._catalog.openai_counterpart(voice.lower(), model or default_model)
        if not voice and default_voice and (model is None or await self._catalog.has(model, default_voice)):
            voice = default_voice
        return await self._catalog.find(model=model, voice=voice or None, default_model=default_model)

    async def _custom_voice(self, requester: Requester, voice: str, model: str | None) -> Voice | None:
        """While the database is away, the voices of the models go on to speak."""
        try:
            return await self._custom_voices.find(requester, voice, model=model)
        except Exception as error:
            if not is_outage(error) or not (is_mix(voice) or await self._catalog.with_names(voice)):
                raise
            return None


def _check_compatibility(request: Spoken) -> None:
    """Refuses fields of other servers whose value asks for what Lectern does not do."""
    errors = FieldErrors()
    for odd in request.objections(msgspec.structs.asdict(request)):
        errors.add(odd.field, odd.message)
    errors.raise_if_any()
    if request.lang_code is not None:
        check_language(request.lang_code, field="lang_code")


def _of_turn(voicing: Voicing, turn: PlannedTurn) -> Voicing:
    given = {"voice": turn.voice, "speed": turn.speed, "language": turn.language}
    return msgspec.structs.replace(voicing, **{name: value for name, value in given.items() if value})

"""Finds the custom voice that a request names, ready to speak."""

from typing import Final

import msgspec

from lectern_contract.voice_mixes import spelled
from orchestrator.accounts.requester import Requester
from orchestrator.lib.errors.problems import BadRequest, NotFound, bad_field
from orchestrator.voices.catalog import Catalog
from orchestrator.voices.custom import queries
from orchestrator.voices.custom.prompt_store import PromptStore
from orchestrator.voices.custom.queries import StoredVoice
from orchestrator.voices.custom.recording_validation import RATE
from orchestrator.voices.names import MAX_SLUG, voice_id
from orchestrator.voices.voice import Prompt, Voice

_MODEL_HINT: Final = "leave 'model' out, or name that one"


class CustomVoiceLookup:
    """A name means a custom voice before a model's, so that a new model changes the meaning of no name.

    The other way round, a custom voice cannot be given a name that a model's voice has at that time.
    """

    def __init__(self, catalog: Catalog, prompts: PromptStore, default_model: str) -> None:
        self._catalog = catalog
        self._prompts = prompts
        self._default_model = default_model

    async def find(self, requester: Requester, name: str, *, model: str | None) -> Voice | None:
        """Returns the voice of this id, slug or name; None if the owner has no voice of this name.

        Raises `NotFound` for an unknown id, `BadRequest` or `Unavailable`.
        """
        stored = await self._stored(requester, name, model)
        if stored is None:
            return None
        if stored.kind == "mix":
            found = await self._catalog.find(model=stored.model, voice=spelled(stored.mix or {}))
            return msgspec.structs.replace(
                found, name=stored.slug, language=stored.language, description=stored.description
            )
        model_voices = await self._catalog.model(stored.model)
        if not model_voices.references:
            raise BadRequest(
                f"The voice '{stored.slug}' is a prompt, and the model '{stored.model}' no longer takes prompts."
            )
        samples = await self._prompts.samples(stored.id)
        return Voice(
            name=stored.slug,
            model=stored.model,
            model_version=model_voices.model_version,
            language=stored.language,
            gender=None,
            description=stored.description,
            parameters={},
            features=model_voices.features,
            speeds=model_voices.speeds,
            prompt=Prompt(stored.digest or "", samples, RATE, stored.transcript or ""),
        )

    async def _stored(self, requester: Requester, name: str, model: str | None) -> StoredVoice | None:
        if (known := voice_id(name)) is not None:
            stored = await queries.find_by_id(requester.account, known)
            if stored is None:
                raise NotFound(f"There is no voice {known}.")
            if model not in (None, stored.model):
                raise bad_field(
                    "model", f"'{model}' does not have the voice {known}, '{stored.model}' has: {_MODEL_HINT}"
                )
            return stored
        if len(name) > MAX_SLUG or not name.isprintable():
            return None
        found = [
            stored for stored in await queries.find_by_name(requester.account, name) if model in (None, stored.model)
        ]
        # Slugs come before names, as no two voices of one model have the same slug.
        exact = [stored for stored in found if stored.slug == name] or found
        best = [stored for stored in exact if stored.model == self._default_model] or exact
        if len(best) > 1:
            which = ", ".join(f"{stored.id} of '{stored.model}'" for stored in best)
            raise bad_field(
                "voice", f"'{name}' is the name of several custom voices: {which}. Name the model too, or send the id"
            )
        return best[0] if best else None

"""Finds the voice of one's own that a request names, ready to speak."""

from typing import Final
from uuid import UUID

import msgspec

from orchestrator.lib.errors.problems import BadRequest, NotFound, bad_field
from orchestrator.voices.catalog import Catalog, Voice
from orchestrator.voices.custom import rows
from orchestrator.voices.custom.examination import RATE
from orchestrator.voices.custom.names import LONGEST, voice_id
from orchestrator.voices.custom.prompts import Prompts
from orchestrator.voices.custom.rows import Row
from orchestrator.voices.mixes import spelled
from orchestrator.voices.prompt import Prompt

_MODEL_ANYWAY: Final = "leave 'model' out, or name that one"


class CustomVoiceLookup:
    """A name means a voice of one's own before any other: what the models bring with time changes no voice's meaning.

    The other way round, no voice of one's own can be given a name that the models have at that time.
    """

    def __init__(self, catalog: Catalog, prompts: Prompts, default_model: str) -> None:
        self._catalog = catalog
        self._prompts = prompts
        self._default_model = default_model

    async def find(self, owner: UUID, name: str, *, model: str | None) -> Voice | None:
        """By id, slug or name; None if the owner has no voice that is called so.

        Raises `NotFound` for an id of none, `BadRequest` or `Unavailable`.
        """
        row = await self._row(owner, name, model)
        if row is None:
            return None
        if row.kind == "mix":
            found = await self._catalog.find(model=row.model, voice=spelled(row.mix or {}))
            return msgspec.structs.replace(found, name=row.slug, language=row.language, description=row.description)
        offer = await self._catalog.offer(row.model)
        if not offer.references:
            raise BadRequest(f"The model '{row.model}' no longer takes prompts, which the voice '{row.slug}' is.")
        samples = await self._prompts.samples(row.id)
        return Voice(
            name=row.slug,
            model=row.model,
            model_version=offer.model_version,
            language=row.language,
            gender=None,
            description=row.description,
            parameters={},
            features=offer.features,
            prompt=Prompt(row.digest or "", samples, RATE, row.transcript or ""),
        )

    async def _row(self, owner: UUID, name: str, model: str | None) -> Row | None:
        if (known := voice_id(name)) is not None:
            row = await rows.by_id(owner, known)
            if row is None:
                raise NotFound(f"There is no voice {known}.")
            if model not in (None, row.model):
                raise bad_field(
                    "model", f"'{model}' does not have the voice {known}, '{row.model}' has: {_MODEL_ANYWAY}"
                )
            return row
        if len(name) > LONGEST or not name.isprintable():
            return None
        found = [row for row in await rows.by_name(owner, name) if model in (None, row.model)]
        # A slug before a name: these are never two of one model.
        exact = [row for row in found if row.slug == name] or found
        best = [row for row in exact if row.model == self._default_model] or exact
        if len(best) > 1:
            which = ", ".join(f"{row.id} of '{row.model}'" for row in best)
            raise bad_field("voice", f"'{name}' is several of your voices: {which}. Name the model too, or say the id")
        return best[0] if best else None

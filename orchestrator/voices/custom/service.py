"""The rules of voices that accounts make for themselves: who sees them, what they must be like, how they go."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog

from orchestrator.lib.database import DB, run
from orchestrator.lib.errors.collector import FieldErrors
from orchestrator.lib.errors.problems import BadRequest, Conflict, FieldError, NotFound
from orchestrator.lib.store import StoreFailed
from orchestrator.voices.catalog import Catalog, Offer, Voice, speaks
from orchestrator.voices.custom import rows
from orchestrator.voices.custom.checks import Checks
from orchestrator.voices.custom.names import tidy
from orchestrator.voices.custom.prompts import Prompts
from orchestrator.voices.custom.schemas import CustomVoiceView, NewMix, VoiceChange
from orchestrator.voices.custom.tables import CustomVoice, VoiceConsent
from orchestrator.voices.custom.uploads import Upload, Uploads
from orchestrator.voices.settings import VoiceSettings

_LANGUAGE: Final = "en"  # of a model that does not say what it speaks
_COUNT: Final = "SELECT count(*) AS voices FROM voice WHERE owner = {}"
# One account's voices are made one after another, so that no two see the same last free place.
_TURN: Final = "SELECT id FROM account WHERE id = {} FOR NO KEY UPDATE"

log = structlog.stdlib.get_logger("lectern.voices")


class Voices:
    """Everybody but its owner is told that there is no such voice."""

    def __init__(
        self,
        catalog: Catalog,
        prompts: Prompts,
        uploads: Uploads,
        settings: VoiceSettings,
        *,
        default_model: str,
        on_made: Callable[[UUID, UUID], None],
        on_gone: Callable[[UUID], Awaitable[None]],
    ) -> None:
        """``on_made`` is told owner and id of each voice that sounds new, ``on_gone`` the id of one that is no more."""
        self._checks = Checks(catalog, settings, default_model)
        self._prompts = prompts
        self._uploads = uploads
        self._limits = settings
        self._on_made = on_made
        self._on_gone = on_gone

    async def every(
        self, owner: UUID, *, model: str | None = None, language: str | None = None
    ) -> list[CustomVoiceView]:
        """Newest first."""
        found = await rows.every(owner)
        return [one for one in found if model in (None, one.model) and speaks(one.language, language)]

    async def get(self, owner: UUID, voice: UUID) -> CustomVoiceView:
        """Raises `NotFound`."""
        found = await rows.one(owner, voice)
        if found is None:
            raise _no_voice(voice)
        return found

    async def recording(self, owner: UUID, voice: UUID) -> tuple[bytes, str]:
        """A prompt's FLAC file, and the digest of its samples. Raises `NotFound` or `StoreFailed`."""
        found = await self.get(owner, voice)
        if found.prompt is None:
            raise NotFound(f"The voice {voice} is a mix, and has no recording.")
        return await self._prompts.read(voice), found.prompt.digest

    async def create_prompt(self, owner: UUID, upload: Upload) -> CustomVoiceView:
        """Raises `BadRequest` that tells all that is wrong, `Conflict`, `Busy`, `Unavailable` or `StoreFailed`."""
        await self._check_room(owner)
        model, offer = await self._checks.offer(upload.model, "prompts", lambda offer: offer.references)
        problems = FieldErrors()
        name, slug = await self._checks.name(upload.name, problems)
        self._checks.texts(problems, description=upload.description, language=upload.language)
        heard = await self._uploads.examined(upload, problems)
        problems.tell()
        voice = CustomVoice(
            owner=owner,
            kind="prompt",
            model=model,
            slug=slug,
            name=name,
            description=upload.description,
            language=upload.language or _language_of(offer),
            digest=heard.digest,
            seconds=heard.seconds,
            spoken_seconds=heard.spoken_seconds,
            transcript=upload.transcript.strip(),
        )
        consent = VoiceConsent(
            account=owner,
            voice=voice.id,
            digest=heard.digest,
            speaker=tidy(upload.speaker),
            statement=upload.consent.strip(),
        )
        await self._keep(voice, consent, await self._prompts.encode(heard.samples))
        return await self._made(owner, voice.id)

    async def create_mix(self, owner: UUID, new: NewMix) -> CustomVoiceView:
        """Raises `BadRequest` that tells all that is wrong, `Conflict` or `Unavailable`."""
        await self._check_room(owner)
        model, _ = await self._checks.offer(new.model, "mixes", lambda offer: offer.mixes)
        problems = FieldErrors()
        name, slug = await self._checks.name(new.name, problems)
        self._checks.texts(problems, description=new.description, language=new.language)
        mixed: Voice | None = None
        with problems.of("mix"):
            mixed = await self._checks.mixed(model, new.mix)
        problems.tell()
        assert mixed is not None  # noqa: S101 - else there was a problem
        voice = CustomVoice(
            owner=owner,
            kind="mix",
            model=model,
            slug=slug,
            name=name,
            description=new.description,
            language=new.language or mixed.language,
            mix=new.mix,
        )
        await self._keep(voice)
        return await self._made(owner, voice.id)

    async def change(self, owner: UUID, voice: UUID, change: VoiceChange) -> CustomVoiceView:
        """Raises `NotFound`, `BadRequest` or `Conflict`."""
        current = await self.get(owner, voice)
        problems = FieldErrors()
        values: dict[Any, Any] = {}
        if change.name is not None:
            values[CustomVoice.name], values[CustomVoice.slug] = await self._checks.name(change.name, problems)
        if change.description is not None:
            values[CustomVoice.description] = change.description
        if change.language is not None:
            values[CustomVoice.language] = change.language
        if change.transcript is not None:
            values[CustomVoice.transcript] = change.transcript.strip()
            await self._checks.transcript(current, change.transcript, problems)
        self._checks.texts(problems, description=change.description or "", language=change.language)
        problems.tell()
        if not values:
            raise BadRequest("Nothing is to be changed: send a name, a description, a language or a transcript.")
        try:
            await CustomVoice.update(values).where(CustomVoice.id == voice, CustomVoice.owner == owner)
        except asyncpg.UniqueViolationError:
            raise _taken(values[CustomVoice.slug], current.model) from None
        if change.language is not None or change.transcript is not None:
            self._on_made(owner, voice)
        return await self.get(owner, voice)

    async def delete(self, owner: UUID, voice: UUID) -> None:
        """Raises `NotFound`, or `StoreFailed`; then nothing has changed, or its recording alone is gone."""
        async with DB.transaction():
            gone = (
                await CustomVoice.delete()
                .where(CustomVoice.id == voice, CustomVoice.owner == owner)
                .returning(CustomVoice.kind)
            )
            if not gone:
                raise _no_voice(voice)
            if gone[0]["kind"] == "prompt":
                await self._prompts.delete(voice)
        await self._on_gone(voice)

    async def _check_room(self, owner: UUID) -> None:
        (row,) = await run(_COUNT, owner)
        if row["voices"] >= self._limits.per_account:
            raise Conflict(f"You have {row['voices']} voices of your own, the most there may be here. Delete one.")

    async def _keep(
        self, voice: CustomVoice, consent: VoiceConsent | None = None, recording: bytes | None = None
    ) -> None:
        """All of it or nothing. Raises `Conflict` or `StoreFailed`."""
        try:
            async with DB.transaction():
                await run(_TURN, voice.owner)
                await self._check_room(voice.owner)
                await voice.save()
                if consent is not None:
                    await consent.save()
                if recording is not None:
                    await self._prompts.write(voice.id, recording)
        except asyncpg.UniqueViolationError:
            raise _taken(voice.slug, voice.model) from None
        except BaseException:
            if recording is not None:
                await self._discard(voice.id)
            raise

    async def _discard(self, voice: UUID) -> None:
        try:
            await self._prompts.delete(voice)
        except StoreFailed:
            log.exception("a recording without a voice stays in the store", voice=str(voice))

    async def _made(self, owner: UUID, voice: UUID) -> CustomVoiceView:
        self._on_made(owner, voice)
        return await self.get(owner, voice)


def _language_of(offer: Offer) -> str:
    default = offer.voices.get(offer.default_voice) or next(iter(offer.voices.values()), None)
    return default.language if default else _LANGUAGE


def _no_voice(voice: UUID) -> NotFound:
    return NotFound(f"There is no voice {voice}.")


def _taken(slug: str, model: str) -> Conflict:
    return Conflict(
        f"You have a voice '{slug}' of the model '{model}' already. Choose another name, or delete that voice.",
        errors=[FieldError("name", f"'{slug}' is taken")],
    )

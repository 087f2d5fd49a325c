"""The rules of custom voices: who sees them, what they must be like, how they are created, changed and deleted."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
import structlog

from orchestrator.accounts.requester import Requester
from orchestrator.lib.database import DB
from orchestrator.lib.errors.problems import BadRequest, Conflict, FieldError, FieldErrors, NotFound
from orchestrator.lib.object_store import StoreFailed
from orchestrator.voices.catalog import Catalog, speaks
from orchestrator.voices.custom import queries
from orchestrator.voices.custom.field_validation import FieldValidator
from orchestrator.voices.custom.prompt_store import PromptStore
from orchestrator.voices.custom.tables import CustomVoice, VoiceConsent
from orchestrator.voices.custom.uploads import Upload, Uploads
from orchestrator.voices.names import normalize_spaces
from orchestrator.voices.schemas import CustomVoiceView, NewMix, VoiceChange
from orchestrator.voices.settings import VoiceSettings
from orchestrator.voices.voice import ModelVoices, Voice

_DEFAULT_LANGUAGE: Final = "en"  # for a model whose card names no voice

log = structlog.stdlib.get_logger("lectern.voices")


class CheckedPrompt(msgspec.Struct, frozen=True):
    """A prompt that can be stored. ``recording`` is a FLAC file."""

    voice: CustomVoice
    consent: VoiceConsent
    recording: bytes


class CustomVoices:
    """To everybody but its owner, a custom voice does not exist: `NotFound`."""

    def __init__(
        self,
        catalog: Catalog,
        prompts: PromptStore,
        uploads: Uploads,
        settings: VoiceSettings,
        *,
        default_model: str,
        on_created: Callable[[Requester, UUID], Awaitable[object]],
        on_deleted: Callable[[UUID], Awaitable[None]],
    ) -> None:
        """``on_created`` gets who asked, and the id of each voice that is new or sounds different.

        It is called in the transaction that makes it so.
        """
        self._fields = FieldValidator(catalog, settings, default_model)
        self._prompts = prompts
        self._uploads = uploads
        self._limits = settings
        self._on_created = on_created
        self._on_deleted = on_deleted

    async def list_all(
        self, requester: Requester, *, model: str | None = None, language: str | None = None
    ) -> list[CustomVoiceView]:
        """Returns the owner's voices, newest first."""
        found = await queries.list_all(requester.account)
        return [voice for voice in found if model in (None, voice.model) and speaks(voice.language, language)]

    async def get(self, requester: Requester, voice: UUID) -> CustomVoiceView:
        """Raises `NotFound`."""
        found = await queries.get(requester.account, voice)
        if found is None:
            raise _no_voice(voice)
        return found

    async def recording(self, requester: Requester, voice: UUID) -> tuple[bytes, str]:
        """Returns a prompt's FLAC file and the digest of its samples. Raises `NotFound` or `StoreFailed`."""
        found = await self.get(requester, voice)
        if found.prompt is None:
            raise NotFound(f"The voice {voice} is a mix and has no recording.")
        return await self._prompts.read(voice), found.prompt.digest

    async def check_prompt(self, requester: Requester, upload: Upload) -> CheckedPrompt:
        """Raises `BadRequest` with everything that is wrong, `Conflict`, `Busy` or `Unavailable`. Stores nothing."""
        await self._check_limit(requester.account)
        model, model_voices = await self._fields.model(upload.model, "prompts", lambda model: model.references)
        problems = FieldErrors()
        name, slug = await self._fields.name(upload.name, problems)
        self._fields.texts(problems, description=upload.description, language=upload.language)
        audio = await self._uploads.validate(upload, problems)
        problems.raise_if_any()
        voice = CustomVoice(
            owner=requester.account,
            kind="prompt",
            model=model,
            slug=slug,
            name=name,
            description=upload.description,
            language=upload.language or _default_language(model_voices),
            digest=audio.digest,
            seconds=audio.seconds,
            spoken_seconds=audio.spoken_seconds,
            transcript=upload.transcript.strip(),
        )
        consent = VoiceConsent(
            account=requester.account,
            voice=voice.id,
            digest=audio.digest,
            speaker=normalize_spaces(upload.speaker),
            statement=upload.consent.strip(),
        )
        return CheckedPrompt(voice, consent, await self._prompts.encode(audio.samples))

    async def create_prompt(self, requester: Requester, prompt: CheckedPrompt) -> CustomVoiceView:
        """Raises `Conflict` or `StoreFailed`."""
        await self._save(requester, prompt.voice, prompt.consent, prompt.recording)
        return await self.get(requester, prompt.voice.id)

    async def create_mix(self, requester: Requester, new: NewMix) -> CustomVoiceView:
        """Raises `BadRequest` with everything that is wrong, `Conflict` or `Unavailable`."""
        await self._check_limit(requester.account)
        model, _ = await self._fields.model(new.model, "mixes", lambda model: model.mixes)
        problems = FieldErrors()
        name, slug = await self._fields.name(new.name, problems)
        self._fields.texts(problems, description=new.description, language=new.language)
        mixed: Voice | None = None
        with problems.collect("mix"):
            mixed = await self._fields.mix(model, new.mix)
        problems.raise_if_any()
        assert mixed is not None  # noqa: S101 - without a mix there is a problem
        voice = CustomVoice(
            owner=requester.account,
            kind="mix",
            model=model,
            slug=slug,
            name=name,
            description=new.description,
            language=new.language or mixed.language,
            mix=new.mix,
        )
        await self._save(requester, voice)
        return await self.get(requester, voice.id)

    async def change(self, requester: Requester, voice: UUID, change: VoiceChange) -> CustomVoiceView:
        """Raises `NotFound`, `BadRequest` or `Conflict`."""
        current = await self.get(requester, voice)
        problems = FieldErrors()
        values: dict[Any, Any] = {}
        if change.name is not None:
            values[CustomVoice.name], values[CustomVoice.slug] = await self._fields.name(change.name, problems)
        if change.description is not None:
            values[CustomVoice.description] = change.description
        if change.language is not None:
            values[CustomVoice.language] = change.language
        if change.transcript is not None:
            values[CustomVoice.transcript] = change.transcript.strip()
            await self._fields.transcript(current, change.transcript, problems)
        self._fields.texts(problems, description=change.description or "", language=change.language)
        problems.raise_if_any()
        if not values:
            raise BadRequest("There is nothing to change: send a name, a description, a language or a transcript.")
        try:
            async with DB.transaction():
                await CustomVoice.update(values).where(CustomVoice.id == voice, CustomVoice.owner == requester.account)
                if change.language is not None or change.transcript is not None:
                    await self._on_created(requester, voice)
        except asyncpg.UniqueViolationError:
            raise _taken(values[CustomVoice.slug], current.model) from None
        return await self.get(requester, voice)

    async def delete(self, requester: Requester, voice: UUID) -> None:
        """Raises `NotFound`, or `StoreFailed`: then nothing has changed, or only the recording is gone."""
        async with DB.transaction():
            deleted = (
                await CustomVoice.delete()
                .where(CustomVoice.id == voice, CustomVoice.owner == requester.account)
                .returning(CustomVoice.kind)
            )
            if not deleted:
                raise _no_voice(voice)
            if deleted[0]["kind"] == "prompt":
                await self._prompts.delete(voice)
        await self._on_deleted(voice)

    async def _check_limit(self, owner: UUID) -> None:
        voices = await queries.count(owner)
        if voices >= self._limits.per_account:
            raise Conflict(f"You have {voices} custom voices, the most that an account may have here. Delete one.")

    async def _save(
        self,
        requester: Requester,
        voice: CustomVoice,
        consent: VoiceConsent | None = None,
        recording: bytes | None = None,
    ) -> None:
        """Saves all or nothing. Raises `Conflict` or `StoreFailed`."""
        try:
            async with DB.transaction():
                # One account's voices are created one after another, so that no two pass the limit together.
                await queries.lock_account(voice.owner)
                await self._check_limit(voice.owner)
                await voice.save()
                if consent is not None:
                    await consent.save()
                await self._on_created(requester, voice.id)
                if recording is not None:
                    await self._prompts.write(voice.id, recording)
        except asyncpg.UniqueViolationError:
            raise _taken(voice.slug, voice.model) from None
        except BaseException:
            if recording is not None:
                await self._discard_recording(voice.id)
            raise

    async def _discard_recording(self, voice: UUID) -> None:
        try:
            await self._prompts.delete(voice)
        except StoreFailed:
            log.exception("a recording without a voice stays in the store", voice=str(voice))


def _default_language(model: ModelVoices) -> str:
    default = model.voices.get(model.default_voice) or next(iter(model.voices.values()), None)
    return default.language if default else _DEFAULT_LANGUAGE


def _no_voice(voice: UUID) -> NotFound:
    return NotFound(f"There is no voice {voice}.")


def _taken(slug: str, model: str) -> Conflict:
    return Conflict(
        f"You already have a custom voice '{slug}' of the model '{model}'. Choose another name, or delete that voice.",
        errors=[FieldError("name", f"'{slug}' is taken")],
    )

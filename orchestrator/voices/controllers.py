from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import MultipartBody, QueryParameter

from orchestrator.voices.catalog import Catalog
from orchestrator.voices.custom.schemas import CustomVoiceView, NewPrompt
from orchestrator.voices.custom.service import Voices
from orchestrator.voices.custom.uploads import Upload
from orchestrator.voices.schemas import VoiceList, VoiceView


class VoiceController(Controller):
    path = "/api/v1/voices"
    tags = ("Voices",)

    @get(summary="The voices that can speak now: your own, newest first, and the models'")
    async def list_voices(
        self,
        account: NamedDependency[UUID],
        catalog: NamedDependency[Catalog],
        voices: NamedDependency[Voices],
        model: Annotated[str | None, QueryParameter(description="Only this model's.")] = None,
        language: Annotated[str | None, QueryParameter(description="Such as en or pt-BR.")] = None,
    ) -> VoiceList:
        own = [
            VoiceView(
                id=voice.id,
                slug=voice.slug,
                name=voice.name,
                kind=voice.kind,
                model=voice.model,
                language=voice.language,
                gender=None,
                grade=None,
                description=voice.description,
            )
            for voice in await voices.every(account, model=model, language=language)
        ]
        others = [
            VoiceView(
                id=None,
                slug=voice.name,
                name=voice.name,
                kind="model",
                model=voice.model,
                language=voice.language,
                gender=voice.gender,
                grade=voice.grade,
                description=voice.description,
            )
            for voice in await catalog.voices(model=model, language=language)
        ]
        return VoiceList(items=[*own, *others])

    @post(
        summary="Make a voice of a recording",
        description="Everything that is wrong with the recording and the fields is told at once. docs/voices.md says"
        " what it must be like.",
    )
    async def create_voice(
        self, data: MultipartBody[NewPrompt], account: NamedDependency[UUID], voices: NamedDependency[Voices]
    ) -> CustomVoiceView:
        upload = Upload(
            audio=data.audio,
            name=data.name,
            transcript=data.transcript,
            consent=data.consent,
            speaker=data.speaker,
            language=data.language,
            description=data.description,
            model=data.model,
        )
        try:
            return await voices.create_prompt(account, upload)
        finally:
            await data.audio.close()

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from orchestrator.voices.catalog import Catalog
from orchestrator.voices.schemas import VoiceList, VoiceView


class VoiceController(Controller):
    path = "/api/v1/voices"
    tags = ("Voices",)

    @get(summary="The voices that can speak now")
    async def list_voices(
        self,
        catalog: NamedDependency[Catalog],
        model: Annotated[str | None, QueryParameter(description="Only this model's.")] = None,
        language: Annotated[str | None, QueryParameter(description="Such as en or pt-BR.")] = None,
    ) -> VoiceList:
        voices = await catalog.voices(model=model, language=language)
        return VoiceList(
            items=[
                VoiceView(
                    name=voice.name,
                    model=voice.model,
                    language=voice.language,
                    gender=voice.gender,
                    grade=voice.grade,
                    description=voice.description,
                )
                for voice in voices
            ]
        )

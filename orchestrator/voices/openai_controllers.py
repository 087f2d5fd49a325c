"""Voices over OpenAI's addresses: the list that compatible servers have, and custom voices; see docs/voices.md."""

from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Controller, Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, MultipartBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from orchestrator.accounts.requester import Requester
from orchestrator.lib.errors.problems import NotFound
from orchestrator.lib.streaming import unless_client_leaves
from orchestrator.voices.catalog import Catalog
from orchestrator.voices.custom.service import CustomVoices
from orchestrator.voices.custom.uploads import Upload
from orchestrator.voices.names import voice_id as id_of
from orchestrator.voices.schemas import (
    AudioVoice,
    AudioVoiceList,
    CustomVoiceView,
    DeletedVoice,
    MadeVoice,
    NewAudioVoice,
)


class OpenAiVoiceController(Controller):
    path = "/v1/audio/voices"
    tags = ("OpenAI",)

    @get(summary="The voices that can speak now")
    async def list_audio_voices(
        self,
        requester: NamedDependency[Requester],
        catalog: NamedDependency[Catalog],
        voices: NamedDependency[CustomVoices],
        model: Annotated[str | None, QueryParameter(description="Only this model's.")] = None,
    ) -> AudioVoiceList:
        custom = [
            AudioVoice(
                id=str(voice.id), name=voice.name, language=voice.language, model=voice.model, preview=voice.preview
            )
            for voice in await voices.list_all(requester, model=model)
        ]
        return AudioVoiceList(
            voices=custom
            + [
                AudioVoice(
                    id=voice.name,
                    name=voice.name,
                    language=voice.language,
                    model=voice.model,
                    preview=f"/v1/audio/voices/preview?{urlencode({'model': voice.model, 'voice': voice.name})}",
                )
                for voice in await catalog.voices(model=model)
            ]
        )

    @post(
        summary="Make a custom voice of a recording",
        description="As OpenAI's clients do, with one more field: the transcript.",
        status_code=HTTP_200_OK,
    )
    async def create_audio_voice(
        self,
        request: Request[Any, Any, Any],
        data: MultipartBody[NewAudioVoice],
        requester: NamedDependency[Requester],
        voices: NamedDependency[CustomVoices],
    ) -> MadeVoice:
        upload = Upload(
            audio=data.audio_sample,
            audio_field="audio_sample",
            name=data.name,
            transcript=data.transcript,
            consent=data.consent,
            speaker=data.name if data.speaker is None else data.speaker,
            language=data.language,
            description=data.description,
            model=data.model,
        )
        try:
            prompt = await unless_client_leaves(request, voices.check_prompt(requester, upload))
            return _created(await voices.create_prompt(requester, prompt))
        finally:
            await data.audio_sample.close()

    @delete("/{voice_id:str}", summary="Delete a custom voice and its recording", status_code=HTTP_200_OK)
    async def delete_audio_voice(
        self, voice_id: FromPath[str], requester: NamedDependency[Requester], voices: NamedDependency[CustomVoices]
    ) -> DeletedVoice:
        known = id_of(voice_id)
        if known is None:
            raise NotFound("A custom voice has an id; GET /v1/audio/voices lists it.")
        await voices.delete(requester, known)
        return DeletedVoice(id=str(known))


def _created(voice: CustomVoiceView) -> MadeVoice:
    return MadeVoice(id=str(voice.id), name=voice.name, created_at=int(voice.created_at.timestamp()))

"""Voices over REST: the list of all, and an account's custom voices."""

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Controller, Request, Response, Router, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, MultipartBody, QueryParameter

from orchestrator.accounts.requester import Requester
from orchestrator.lib.byte_ranges import file_response
from orchestrator.lib.streaming import unless_client_leaves
from orchestrator.voices.catalog import Catalog
from orchestrator.voices.custom.prompt_store import CONTENT_TYPE
from orchestrator.voices.custom.service import CustomVoices
from orchestrator.voices.custom.uploads import Upload
from orchestrator.voices.openai_controllers import OpenAiVoiceController
from orchestrator.voices.schemas import CustomVoiceView, NewMix, NewPrompt, VoiceChange, VoiceList, VoiceView
from orchestrator.voices.settings import VoiceSettings

_FORM_BYTES: Final = 1 << 20  # for everything in an upload's form but the recording


class VoiceController(Controller):
    path = "/api/v1/voices"
    tags = ("Voices",)

    @get(summary="The voices that can speak now: your custom voices, newest first, and the models'")
    async def list_voices(
        self,
        requester: NamedDependency[Requester],
        catalog: NamedDependency[Catalog],
        voices: NamedDependency[CustomVoices],
        model: Annotated[str | None, QueryParameter(description="Only this model's.")] = None,
        language: Annotated[str | None, QueryParameter(description="Such as en or pt-BR.")] = None,
    ) -> VoiceList:
        custom = [
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
            for voice in await voices.list_all(requester, model=model, language=language)
        ]
        of_models = [
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
        return VoiceList(items=[*custom, *of_models])

    @post(
        summary="Make a custom voice of a recording",
        description="The response tells everything that is wrong with recording and fields. docs/voices.md says what"
        " a recording must be like.",
    )
    async def create_voice(
        self,
        request: Request[Any, Any, Any],
        data: MultipartBody[NewPrompt],
        requester: NamedDependency[Requester],
        voices: NamedDependency[CustomVoices],
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
            prompt = await unless_client_leaves(request, voices.check_prompt(requester, upload))
            return await voices.create_prompt(requester, prompt)
        finally:
            await data.audio.close()


class CustomVoiceController(Controller):
    path = "/api/v1/voices"
    tags = ("Voices",)

    @post("/mixes", summary="Make a custom voice of a mix of a model's voices")
    async def create_mix(
        self, data: JSONBody[NewMix], requester: NamedDependency[Requester], voices: NamedDependency[CustomVoices]
    ) -> CustomVoiceView:
        return await voices.create_mix(requester, data)

    @get("/{voice_id:uuid}", summary="A custom voice")
    async def get_voice(
        self, voice_id: FromPath[UUID], requester: NamedDependency[Requester], voices: NamedDependency[CustomVoices]
    ) -> CustomVoiceView:
        return await voices.get(requester, voice_id)

    @patch(
        "/{voice_id:uuid}", summary="Change a custom voice: its name, description, language, or a prompt's transcript"
    )
    async def change_voice(
        self,
        voice_id: FromPath[UUID],
        data: JSONBody[VoiceChange],
        requester: NamedDependency[Requester],
        voices: NamedDependency[CustomVoices],
    ) -> CustomVoiceView:
        return await voices.change(requester, voice_id, data)

    @delete("/{voice_id:uuid}", summary="Delete a custom voice and its recording")
    async def delete_voice(
        self, voice_id: FromPath[UUID], requester: NamedDependency[Requester], voices: NamedDependency[CustomVoices]
    ) -> None:
        await voices.delete(requester, voice_id)

    @get(
        "/{voice_id:uuid}/prompt",
        summary="The recording of a prompt, as it is stored",
        media_type=CONTENT_TYPE,
    )
    async def get_voice_prompt(
        self,
        request: Request[Any, Any, Any],
        voice_id: FromPath[UUID],
        requester: NamedDependency[Requester],
        voices: NamedDependency[CustomVoices],
    ) -> Response[bytes]:
        recording, digest = await voices.recording(requester, voice_id)
        headers = {"cache-control": "private, no-store"}
        return file_response(request, recording, media_type=CONTENT_TYPE, etag=f'"{digest[:32]}"', headers=headers)


def upload_router(limits: VoiceSettings) -> Router:
    """Returns the routes that take a recording, and so larger requests than others."""
    return Router(
        "/",
        route_handlers=[VoiceController, OpenAiVoiceController],
        request_max_body_size=limits.max_bytes + _FORM_BYTES,
    )

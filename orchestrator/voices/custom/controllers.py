from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from orchestrator.lib.byte_ranges import file_response
from orchestrator.voices.custom.prompts import CONTENT_TYPE
from orchestrator.voices.custom.schemas import CustomVoiceView, NewMix, VoiceChange
from orchestrator.voices.custom.service import Voices


class CustomVoiceController(Controller):
    path = "/api/v1/voices"
    tags = ("Voices",)

    @post("/mixes", summary="Keep a mix of a model's voices under a name")
    async def create_mix(
        self, data: JSONBody[NewMix], account: NamedDependency[UUID], voices: NamedDependency[Voices]
    ) -> CustomVoiceView:
        return await voices.create_mix(account, data)

    @get("/{voice_id:uuid}", summary="A voice of your own")
    async def get_voice(
        self, voice_id: FromPath[UUID], account: NamedDependency[UUID], voices: NamedDependency[Voices]
    ) -> CustomVoiceView:
        return await voices.get(account, voice_id)

    @patch("/{voice_id:uuid}", summary="Change what a voice of your own is called, or a prompt's transcript")
    async def change_voice(
        self,
        voice_id: FromPath[UUID],
        data: JSONBody[VoiceChange],
        account: NamedDependency[UUID],
        voices: NamedDependency[Voices],
    ) -> CustomVoiceView:
        return await voices.change(account, voice_id, data)

    @delete("/{voice_id:uuid}", summary="Delete a voice of your own, and its recording")
    async def delete_voice(
        self, voice_id: FromPath[UUID], account: NamedDependency[UUID], voices: NamedDependency[Voices]
    ) -> None:
        await voices.delete(account, voice_id)

    @get(
        "/{voice_id:uuid}/prompt",
        summary="The recording that a voice of your own speaks like, as it is kept",
        media_type=CONTENT_TYPE,
    )
    async def get_voice_prompt(
        self,
        request: Request[Any, Any, Any],
        voice_id: FromPath[UUID],
        account: NamedDependency[UUID],
        voices: NamedDependency[Voices],
    ) -> Response[bytes]:
        recording, digest = await voices.recording(account, voice_id)
        headers = {"cache-control": "private, no-store"}
        return file_response(request, recording, media_type=CONTENT_TYPE, etag=f'"{digest[:32]}"', headers=headers)

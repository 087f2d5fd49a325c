from typing import Any
from uuid import UUID

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from orchestrator.audio.formats import Sound
from orchestrator.lib.streaming import begin
from orchestrator.speech.admission.controller import Requester
from orchestrator.speech.previews import PreviewMaker
from orchestrator.speech.service import Speech


@get(
    "/api/v1/voices/{voice_id:uuid}/preview",
    summary="A short sample of a voice of your own, as MP3",
    description="It is made when the voice is, and again here if it is no longer kept.",
    media_type="audio/mpeg",
    tags=["Voices"],
)
async def get_own_voice_preview(
    request: Request[Any, Any, Any],
    voice_id: FromPath[UUID],
    account: NamedDependency[UUID],
    speech: NamedDependency[Speech],
    previews: NamedDependency[PreviewMaker],
) -> Stream:
    script = await previews.script(account, str(voice_id))
    sound = Sound("mp3")
    return await begin(request, speech.stream(script, sound, Requester(account)), sound.content_type)

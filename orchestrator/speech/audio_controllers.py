from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, Router, get, route
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from orchestrator.accounts.requester import Requester
from orchestrator.audio.formats import Sound
from orchestrator.lib.errors.problems import NotFound
from orchestrator.lib.streaming import begin
from orchestrator.speech.cache.names import AudioName
from orchestrator.speech.previews import VoicePreviews
from orchestrator.speech.response.delivery import Delivery
from orchestrator.speech.service import SpeechService

IMMUTABLE: Final = {"cache-control": "private, max-age=31536000, immutable"}


@route(
    "/{name:str}",
    http_method=["GET", "HEAD"],
    summary="Cached audio",
    description="The name is a segment's key, its tempo and pause if it has any, and a format, as Content-Location and"
    " the events of playback give it. It says what is heard, so what it names never changes; who knows it knows the"
    " text.",
    media_type="audio/*",
)
async def get_audio(
    request: Request[Any, Any, Any], name: FromPath[str], delivery: NamedDependency[Delivery]
) -> Response[bytes]:
    sent = await delivery.send(request, AudioName.parse(name), IMMUTABLE)
    if sent is None:
        raise NotFound("This audio is not cached, or no longer. Ask for its block's audio, which makes it anew.")
    return sent


audio_router: Final = Router("/api/v1/audio", route_handlers=[get_audio], tags=["Audio"])


@get(
    "/api/v1/voices/{voice_id:uuid}/preview",
    summary="A short sample of a custom voice, as MP3",
    description="It is made when the voice is, and again here if it is no longer cached.",
    media_type="audio/mpeg",
    tags=["Voices"],
)
async def get_custom_voice_preview(
    request: Request[Any, Any, Any],
    voice_id: FromPath[UUID],
    requester: NamedDependency[Requester],
    speech: NamedDependency[SpeechService],
    previews: NamedDependency[VoicePreviews],
) -> Stream:
    script = await previews.plan(requester, str(voice_id))
    sound = Sound("mp3")
    return await begin(request, speech.audio(script, sound, requester), sound.content_type)

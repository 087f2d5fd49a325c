from typing import Any, Final

from litestar import Request, Response, Router, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from orchestrator.lib.errors.problems import NotFound
from orchestrator.speech.cache.audio_names import AudioName
from orchestrator.speech.respond.delivery import Delivery

IMMUTABLE: Final = {"cache-control": "private, max-age=31536000, immutable"}


@route(
    "/{name:str}",
    http_method=["GET", "HEAD"],
    summary="Kept audio",
    description="The name is a segment's key and a format, as Content-Location and the events of playback give it. It"
    " says what is heard, so what it names never changes; who knows it knows the text.",
    media_type="audio/*",
)
async def get_audio(
    request: Request[Any, Any, Any], name: FromPath[str], delivery: NamedDependency[Delivery]
) -> Response[bytes]:
    sent = await delivery.send(request, AudioName.parse(name), IMMUTABLE)
    if sent is None:
        raise NotFound("This audio is not kept, or no longer. Ask for its block's audio, which makes it anew.")
    return sent


audio_router: Final = Router("/api/v1/audio", route_handlers=[get_audio], tags=["Audio"])

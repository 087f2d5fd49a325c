from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, head, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK, HTTP_304_NOT_MODIFIED

from orchestrator.documents import service as documents
from orchestrator.lib.disconnects import unless_client_leaves
from orchestrator.speech.audio.formats import CONTAINERS
from orchestrator.speech.plan import Segment
from orchestrator.speech.rendition import Rendition, rendition
from orchestrator.speech.responses import HeadersOnly, begin
from orchestrator.speech.schemas import Model, ModelList, SpeechRequest
from orchestrator.speech.service import Speech
from orchestrator.voices.catalog import Catalog

AUDIO_RESPONSES: dict[str, Any] = {"media_type": "audio/*", "status_code": HTTP_200_OK}


class OpenAiController(Controller):
    path = "/v1"
    tags = ("OpenAI",)

    @post("/audio/speech", summary="Speak a text", **AUDIO_RESPONSES)
    async def create_speech(
        self, request: Request[Any, Any, Any], data: JSONBody[SpeechRequest], speech: NamedDependency[Speech]
    ) -> Stream:
        voice = await speech.voice(data.voice, data.model)
        segments = await speech.plan_input(data.input, voice, data.speed)
        content_type = CONTAINERS[data.response_format].content_type
        return await begin(request, speech.stream(segments, data.response_format), content_type)

    @get("/models", summary="The models that can speak now")
    async def list_models(self, catalog: NamedDependency[Catalog]) -> ModelList:
        return ModelList(data=[Model(id=name) for name in await catalog.models()])


class DocumentAudioController(Controller):
    path = "/api/v1/documents/{document_id:uuid}"
    tags = ("Documents",)
    dependencies = {"rendition": Provide(rendition)}  # noqa: RUF012 - Litestar's own pattern

    @get("/blocks/{block_id:uuid}/audio", summary="A block's audio", **AUDIO_RESPONSES)
    async def get_block_audio(
        self,
        request: Request[Any, Any, Any],
        document_id: FromPath[UUID],
        block_id: FromPath[UUID],
        account: NamedDependency[UUID],
        speech: NamedDependency[Speech],
        rendition: NamedDependency[Rendition],
    ) -> Response[bytes] | Stream:
        segment = await _segment_of_block(speech, account, document_id, block_id, rendition)
        headers = _validators(segment, rendition)
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=headers)
        kept = await speech.kept(segment, rendition.audio_format)
        if kept is not None:
            return Response(kept, media_type=rendition.content_type, headers=headers)
        return await begin(request, speech.stream([segment], rendition.audio_format), rendition.content_type, headers)

    @head(
        "/blocks/{block_id:uuid}/audio",
        summary="Make a block's audio and keep it",
        description="Answers when the audio is complete, without sending it; x-lectern-seconds is its duration.",
    )
    async def make_block_audio(
        self,
        request: Request[Any, Any, Any],
        document_id: FromPath[UUID],
        block_id: FromPath[UUID],
        account: NamedDependency[UUID],
        speech: NamedDependency[Speech],
        rendition: NamedDependency[Rendition],
    ) -> Response[None]:
        segment = await _segment_of_block(speech, account, document_id, block_id, rendition)
        seconds = await unless_client_leaves(request, speech.make(segment))
        told = {"x-lectern-seconds": f"{seconds:.3f}", "content-type": rendition.content_type}
        return HeadersOnly(None, headers={**_validators(segment, rendition), **told})

    @get("/audio", summary="A whole document's audio, as one stream", **AUDIO_RESPONSES)
    async def get_document_audio(
        self,
        request: Request[Any, Any, Any],
        document_id: FromPath[UUID],
        account: NamedDependency[UUID],
        speech: NamedDependency[Speech],
        rendition: NamedDependency[Rendition],
    ) -> Stream:
        texts = await documents.spoken_texts(account, document_id)
        segments = speech.plan_texts(texts, rendition.voice, rendition.speed)
        return await begin(request, speech.stream(segments, rendition.audio_format), rendition.content_type)


async def _segment_of_block(
    speech: Speech, account: UUID, document_id: UUID, block_id: UUID, rendition: Rendition
) -> Segment:
    spoken = await documents.spoken_of_block(account, document_id, block_id)
    return speech.plan_texts([spoken], rendition.voice, rendition.speed)[0]


def _validators(segment: Segment, rendition: Rendition) -> dict[str, str]:
    """The key names the samples and the format their encoding, so together they are a strong validator.

    Caches must ask each time: the same address sounds different once its voice's model is a newer one.
    """
    return {"etag": f'"{segment.key[:32]}.{rendition.audio_format}"', "cache-control": "private, no-cache"}

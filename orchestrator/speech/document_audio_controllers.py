from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, head
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK, HTTP_304_NOT_MODIFIED

from lectern.voicing import Skip
from orchestrator.accounts.requester import Requester
from orchestrator.documents import service as documents
from orchestrator.lib.byte_ranges import has_already
from orchestrator.lib.errors.problems import bad_field
from orchestrator.lib.streaming import HeadersOnly, begin, unless_client_leaves
from orchestrator.speech.audio_options import AudioOptions, audio_options
from orchestrator.speech.cache.names import AudioName
from orchestrator.speech.planner.planner import Planner
from orchestrator.speech.planner.script import Origin, Script, SegmentText
from orchestrator.speech.response.captions import CONTENT_TYPES, CaptionFormat
from orchestrator.speech.response.delivery import Delivery
from orchestrator.speech.response.openapi import ANY_AUDIO, ANY_CAPTIONS
from orchestrator.speech.schemas import LOUDNESS, Loudness
from orchestrator.speech.service import SpeechService

SkippedBlocks = Annotated[
    Skip, QueryParameter(description="Blocks to leave out: those that the model refuses, or also those it fails at.")
]
AUDIO_RESPONSES: dict[str, Any] = {"media_type": ANY_AUDIO, "status_code": HTTP_200_OK}


class DocumentAudioController(Controller):
    path = "/api/v1/documents/{document_id:uuid}"
    tags = ("Documents",)
    dependencies = {"audio_options": Provide(audio_options, sync_to_thread=False)}  # noqa: RUF012 - Litestar's own pattern

    @get(
        "/blocks/{block_id:uuid}/audio",
        summary="A block's audio",
        description="A Range is served of cached audio. Content-Location is an address that never changes.",
        **AUDIO_RESPONSES,
    )
    async def get_block_audio(
        self,
        request: Request[Any, Any, Any],
        document_id: FromPath[UUID],
        block_id: FromPath[UUID],
        requester: NamedDependency[Requester],
        planner: NamedDependency[Planner],
        speech: NamedDependency[SpeechService],
        delivery: NamedDependency[Delivery],
        audio_options: NamedDependency[AudioOptions],
    ) -> Response[bytes] | Stream:
        requester = requester.listening_to(document_id, audio_options.lane)
        script = await _plan_block(planner, requester, document_id, block_id, audio_options)
        (segment,) = script.segments
        name = AudioName(segment.key, audio_options.sound, segment.rendition)
        headers = _headers(name)
        validated = {**headers, "etag": name.etag}
        if has_already(request, name.etag):
            return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=validated)
        sent = await delivery.send(request, name, headers)
        if sent is not None:
            await speech.deliver(segment, requester)
            return sent
        body = speech.audio(script, name.sound, requester)
        return await begin(request, body, name.sound.content_type, validated)

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
        requester: NamedDependency[Requester],
        planner: NamedDependency[Planner],
        speech: NamedDependency[SpeechService],
        audio_options: NamedDependency[AudioOptions],
    ) -> Response[None]:
        requester = requester.listening_to(document_id, audio_options.lane)
        script = await _plan_block(planner, requester, document_id, block_id, audio_options)
        (segment,) = script.segments
        seconds = await unless_client_leaves(request, speech.synthesize(script, requester))
        name = AudioName(segment.key, audio_options.sound, segment.rendition)
        told = {"x-lectern-seconds": f"{seconds:.3f}", "content-type": name.sound.content_type, "etag": name.etag}
        return HeadersOnly(None, headers={**_headers(name), **told})

    @get("/audio", summary="A whole document's audio, as one stream", **AUDIO_RESPONSES)
    async def get_document_audio(
        self,
        request: Request[Any, Any, Any],
        document_id: FromPath[UUID],
        requester: NamedDependency[Requester],
        planner: NamedDependency[Planner],
        speech: NamedDependency[SpeechService],
        audio_options: NamedDependency[AudioOptions],
        loudness: Annotated[
            Loudness | None, QueryParameter(description="LUFS of the whole; sent once all of it is made.")
        ] = None,
        skip: SkippedBlocks = "refused",
    ) -> Stream:
        if loudness is not None and not LOUDNESS[0] <= loudness <= LOUDNESS[1]:  # Litestar has no bounds for it
            raise bad_field("loudness", f"must be from {LOUDNESS[0]} to {LOUDNESS[1]} LUFS", where="query")
        requester = requester.listening_to(document_id, audio_options.lane)
        blocks = await documents.spoken_blocks(requester, document_id)
        script = await planner.plan_blocks([_text(block) for block in blocks], audio_options.voicing, requester)
        body = speech.audio(script, audio_options.sound, requester, loudness=loudness, skip=skip)
        return await begin(request, body, audio_options.sound.content_type)

    @get(
        "/captions",
        summary="When each word of a document is heard in its audio",
        description="Offsets are characters of the shown text of the word's block.",
        media_type=ANY_CAPTIONS,
    )
    async def get_document_captions(
        self,
        request: Request[Any, Any, Any],
        document_id: FromPath[UUID],
        requester: NamedDependency[Requester],
        planner: NamedDependency[Planner],
        speech: NamedDependency[SpeechService],
        audio_options: NamedDependency[AudioOptions],
        caption_format: Annotated[CaptionFormat, QueryParameter(description="json, srt or vtt.")] = "json",
        skip: SkippedBlocks = "refused",
    ) -> Stream:
        requester = requester.listening_to(document_id, audio_options.lane)
        blocks = await documents.spoken_blocks(requester, document_id)
        script = await planner.plan_blocks([_text(block) for block in blocks], audio_options.voicing, requester)
        body = speech.captions(script, caption_format, requester, skip=skip)
        return await begin(request, body, CONTENT_TYPES[caption_format])


async def _plan_block(
    planner: Planner, requester: Requester, document_id: UUID, block_id: UUID, audio_options: AudioOptions
) -> Script:
    block = await documents.spoken_text(requester, document_id, block_id)
    text = SegmentText(block.spoken, Origin(text=block.spoken, block=block_id), ends=block.ends)
    return await planner.plan_block(text, audio_options.voicing, requester)


def _text(block: documents.SpokenBlock) -> SegmentText:
    return SegmentText(block.spoken, Origin(text=block.shown, block=block.id), block.spans, ends=block.ends)


def _headers(name: AudioName) -> dict[str, str]:
    """Caches must ask each time: the same address sounds different once its voice's model is a newer one."""
    return {"cache-control": "private, no-cache", "content-location": name.path}

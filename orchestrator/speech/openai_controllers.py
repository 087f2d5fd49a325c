from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK

from orchestrator.lib.errors import bad_field
from orchestrator.speech.audio.formats import OPUS_RATE, Sound
from orchestrator.speech.captions import CONTENT_TYPES
from orchestrator.speech.described import ANY_AUDIO, ANY_CAPTIONS, EVENTS
from orchestrator.speech.making.gate import Asker
from orchestrator.speech.previews import PreviewMaker
from orchestrator.speech.requests import passage_of
from orchestrator.speech.responses import begin
from orchestrator.speech.schemas import (
    AudioModel,
    AudioModelList,
    CaptionRequest,
    Model,
    ModelList,
    SpeechRequest,
)
from orchestrator.speech.service import Speech
from orchestrator.voices.catalog import Catalog


class OpenAiController(Controller):
    path = "/v1"
    tags = ("OpenAI",)

    @post("/audio/speech", summary="Speak a text", media_type=ANY_AUDIO, status_code=HTTP_200_OK)
    async def create_speech(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[SpeechRequest],
        account: NamedDependency[UUID],
        speech: NamedDependency[Speech],
    ) -> Stream:
        sound = _sound(data)
        passage = await passage_of(speech, account, data)
        asker = Asker(account, data.lane or "live")
        headers = await speech.usage_headers(passage)
        if data.stream_format == "sse":
            body = speech.events(passage, sound, asker, timestamps=data.timestamps == "word", loudness=data.loudness)
            return await begin(request, body, EVENTS, {**headers, "cache-control": "no-cache"})
        body = speech.stream(passage, sound, asker, loudness=data.loudness)
        return await begin(request, body, sound.content_type, headers)

    @post(
        "/audio/captions",
        summary="When each word of a text is spoken",
        media_type=ANY_CAPTIONS,
        status_code=HTTP_200_OK,
    )
    async def create_captions(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[CaptionRequest],
        account: NamedDependency[UUID],
        speech: NamedDependency[Speech],
    ) -> Stream:
        passage = await passage_of(speech, account, data)
        caption_format = data.caption_format or "json"
        body = speech.captions(passage, caption_format, Asker(account, data.lane or "live"))
        headers = await speech.usage_headers(passage)
        return await begin(request, body, CONTENT_TYPES[caption_format], headers)

    @get("/models", summary="The models that can speak now")
    async def list_models(self, catalog: NamedDependency[Catalog]) -> ModelList:
        return ModelList(data=[Model(id=name) for name in await catalog.models()])

    @get("/audio/models", summary="The models again, as Open WebUI asks for them")
    async def list_audio_models(self, catalog: NamedDependency[Catalog]) -> AudioModelList:
        return AudioModelList(models=[AudioModel(id=name, name=name) for name in await catalog.models()])

    @get("/audio/voices/preview", summary="A short sample of a voice, as MP3", media_type="audio/mpeg")
    async def get_voice_preview(
        self,
        request: Request[Any, Any, Any],
        account: NamedDependency[UUID],
        speech: NamedDependency[Speech],
        previews: NamedDependency[PreviewMaker],
        voice: Annotated[str, QueryParameter(description="The voice's id.")],
        model: Annotated[str | None, QueryParameter(description="The voice's model.")] = None,
    ) -> Stream:
        passage = await previews.passage(account, voice, model=model)
        sound = Sound("mp3")
        return await begin(request, speech.stream(passage, sound, Asker(account)), sound.content_type)


def _sound(data: SpeechRequest) -> Sound:
    if data.timestamps == "word" and data.stream_format != "sse":
        raise bad_field("timestamps", "need 'stream_format': 'sse'; POST /v1/audio/captions gives the times alone")
    if data.response_format == "opus" and data.sample_rate not in (None, OPUS_RATE):
        raise bad_field("sample_rate", f"of opus is always {OPUS_RATE}; leave it out or choose another format")
    return Sound(data.response_format or "mp3", None if data.response_format == "opus" else data.sample_rate)

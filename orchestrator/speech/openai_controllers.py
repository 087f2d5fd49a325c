from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK

from orchestrator.accounts.requester import Requester
from orchestrator.audio.formats import OPUS_RATE, Sound
from orchestrator.lib.errors.problems import bad_field
from orchestrator.lib.streaming import begin
from orchestrator.speech.planner.planner import Planner
from orchestrator.speech.previews import VoicePreviews
from orchestrator.speech.response.captions import CONTENT_TYPES
from orchestrator.speech.response.openapi import ANY_AUDIO, ANY_CAPTIONS, EVENTS
from orchestrator.speech.schemas import (
    AudioModel,
    AudioModelList,
    CaptionRequest,
    Model,
    ModelList,
    SpeechRequest,
)
from orchestrator.speech.service import SpeechService
from orchestrator.voices.catalog import Catalog


class OpenAiController(Controller):
    path = "/v1"
    tags = ("OpenAI",)

    @post("/audio/speech", summary="Speak a text", media_type=ANY_AUDIO, status_code=HTTP_200_OK)
    async def create_speech(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[SpeechRequest],
        requester: NamedDependency[Requester],
        planner: NamedDependency[Planner],
        speech: NamedDependency[SpeechService],
    ) -> Stream:
        sound = _sound(data)
        requester = requester.in_lane(data.lane or "live")
        script = await planner.plan(data, requester)
        lengths = speech.lengths(script)
        headers = await speech.usage_headers(script, lengths)
        if data.stream_format == "sse":
            timestamps = data.timestamps == "word"
            body = speech.events(
                script, sound, requester, timestamps=timestamps, loudness=data.loudness, lengths=lengths
            )
            return await begin(request, body, EVENTS, {**headers, "cache-control": "no-cache"})
        body = speech.audio(script, sound, requester, loudness=data.loudness, lengths=lengths)
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
        requester: NamedDependency[Requester],
        planner: NamedDependency[Planner],
        speech: NamedDependency[SpeechService],
    ) -> Stream:
        requester = requester.in_lane(data.lane or "live")
        script = await planner.plan(data, requester)
        caption_format = data.caption_format or "json"
        lengths = speech.lengths(script)
        body = speech.captions(script, caption_format, requester, lengths=lengths)
        headers = await speech.usage_headers(script, lengths)
        return await begin(request, body, CONTENT_TYPES[caption_format], headers)

    @get("/models", summary="The models that can speak now")
    async def list_models(self, catalog: NamedDependency[Catalog]) -> ModelList:
        return ModelList(data=[Model(id=name, version=version) for name, version in (await catalog.models()).items()])

    @get("/audio/models", summary="The models again, as Open WebUI asks for them")
    async def list_audio_models(self, catalog: NamedDependency[Catalog]) -> AudioModelList:
        return AudioModelList(models=[AudioModel(id=name, name=name) for name in await catalog.models()])

    @get("/audio/voices/preview", summary="A short sample of a voice, as MP3", media_type="audio/mpeg")
    async def get_voice_preview(
        self,
        request: Request[Any, Any, Any],
        requester: NamedDependency[Requester],
        speech: NamedDependency[SpeechService],
        previews: NamedDependency[VoicePreviews],
        voice: Annotated[str, QueryParameter(description="The voice's id.")],
        model: Annotated[str | None, QueryParameter(description="The voice's model.")] = None,
    ) -> Stream:
        script = await previews.plan(requester, voice, model=model)
        sound = Sound("mp3")
        return await begin(request, speech.audio(script, sound, requester), sound.content_type)


def _sound(data: SpeechRequest) -> Sound:
    if data.timestamps == "word" and data.stream_format != "sse":
        raise bad_field("timestamps", "need 'stream_format': 'sse'; POST /v1/audio/captions gives the times alone")
    if data.response_format == "opus" and data.sample_rate not in (None, OPUS_RATE):
        raise bad_field("sample_rate", f"of opus is always {OPUS_RATE}; leave it out or choose another format")
    return Sound(data.response_format or "mp3", None if data.response_format == "opus" else data.sample_rate)

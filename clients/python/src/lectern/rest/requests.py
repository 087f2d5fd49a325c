"""Builds the requests of the REST API, without any transport."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import quote

import httpx
import msgspec

from lectern.errors import LecternError
from lectern.rest import events
from lectern.types import CaptionFormat, DocumentFormat
from lectern.voicing import (
    BlockAudioOptions,
    DocumentAudioOptions,
    DocumentCaptionOptions,
    DocumentVoicing,
    Mix,
    SpeechOptions,
    Text,
    TextOptions,
    Turn,
    Voicing,
    merged,
    voice_name,
)
from lectern_contract.pauses import spelled

_DOCUMENTS: Final = "/api/v1/documents"
_EVENT_SECONDS: Final = 60.0  # a server says that it is still there more often
_VOICES: Final = "/api/v1/voices"
_SYNTHESIS_SECONDS: Final = 300.0  # a segment may be queued behind other listeners before the first byte comes
_UPLOAD_SECONDS: Final = 60.0  # a recording is decoded and measured, behind those of others


@dataclass(frozen=True, slots=True)
class File:
    """A file in a form."""

    field: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    form: dict[str, Any] | None = None  # in place of a body, together with a file
    file: File | None = None
    min_timeout: float = 0.0  # seconds without a byte of the response that are still no fault
    content_type: str | None = None  # the only one that the response may have
    retry: bool = True  # whether to send it again while the server is busy


def build(http: httpx.Client | httpx.AsyncClient, request: Request, timeout: float) -> httpx.Request:
    """Returns httpx's request. Raises LecternError for text that cannot be encoded."""
    read = max(timeout, request.min_timeout)
    connect = http.timeout.connect
    try:
        content = None if request.body is None else msgspec.json.encode(request.body)
        return http.build_request(
            request.method,
            request.path,
            params=request.query,
            content=content,
            data=request.form,
            files=None if request.file is None else {request.file.field: (request.file.field, request.file.content)},
            headers=None if content is None else {"content-type": "application/json"},
            timeout=httpx.Timeout(timeout, connect=connect, read=read),
        )
    except UnicodeEncodeError as error:
        raise LecternError(
            "the text holds one half of a surrogate pair, which UTF-8 cannot carry: remove it"
        ) from error


def speech(text: Text, voicing: Voicing | None, options: SpeechOptions) -> Request:
    body = {
        **_text(text, options),
        **_voicing(merged(voicing, options, SpeechOptions.__optional_keys__)),
        **_without_none(
            response_format=options.get("audio_format", "opus"),
            sample_rate=options.get("sample_rate"),
            loudness=options.get("loudness"),
        ),
    }
    return Request("POST", "/v1/audio/speech", body=body, min_timeout=_SYNTHESIS_SECONDS)


def speech_events(text: Text, voicing: Voicing | None, options: SpeechOptions, *, timestamps: bool) -> Request:
    request = speech(text, voicing, options)
    body = {**(request.body or {}), "stream_format": "sse", "timestamps": "word" if timestamps else "none"}
    return Request(
        request.method, request.path, body=body, min_timeout=request.min_timeout, content_type=events.CONTENT_TYPE
    )


def captions(text: Text, voicing: Voicing | None, options: TextOptions, caption_format: CaptionFormat) -> Request:
    chosen = _voicing(merged(voicing, options, TextOptions.__optional_keys__))
    body = {**_text(text, options), **chosen, "caption_format": caption_format}
    return Request("POST", "/v1/audio/captions", body=body, min_timeout=_SYNTHESIS_SECONDS)


def create_document(text: str, title: str | None, document_format: DocumentFormat) -> Request:
    # Not retried: a server whose database was away for a moment may have stored the document all the same.
    body = _without_none(text=text, title=title, format=document_format)
    return Request("POST", _DOCUMENTS, body=body, retry=False)


def documents(after: str | None, page_size: int) -> Request:
    return Request("GET", _DOCUMENTS, _without_none(after=after, limit=page_size))


def get_document(document_id: str) -> Request:
    return Request("GET", _document(document_id))


def delete_document(document_id: str) -> Request:
    return Request("DELETE", _document(document_id))


def get_job(job_id: str) -> Request:
    return Request("GET", _job(job_id))


def job_events(job_id: str) -> Request:
    return Request("GET", f"{_job(job_id)}/events", min_timeout=_EVENT_SECONDS, content_type=events.CONTENT_TYPE)


def cancel_job(job_id: str) -> Request:
    return Request("POST", f"{_job(job_id)}/cancel")


def blocks(document_id: str, after: int | None, page_size: int) -> Request:
    return Request("GET", f"{_document(document_id)}/blocks", _without_none(after=after, limit=page_size))


def block_audio(
    method: Literal["GET", "HEAD"],
    document_id: str,
    block_id: str,
    voicing: Voicing | None,
    options: BlockAudioOptions,
) -> Request:
    path = f"{_document(document_id)}/blocks/{quote(block_id, safe='')}/audio"
    query = _document_audio_query(voicing, options, BlockAudioOptions.__optional_keys__)
    return Request(method, path, query, min_timeout=_SYNTHESIS_SECONDS)


def document_audio(document_id: str, voicing: Voicing | None, options: DocumentAudioOptions) -> Request:
    query = {
        **_document_audio_query(voicing, options, DocumentAudioOptions.__optional_keys__),
        **_without_none(loudness=options.get("loudness"), skip=options.get("skip")),
    }
    return Request("GET", f"{_document(document_id)}/audio", query, min_timeout=_SYNTHESIS_SECONDS)


def document_captions(
    document_id: str, voicing: Voicing | None, options: DocumentCaptionOptions, caption_format: CaptionFormat
) -> Request:
    query = {
        **_document_voicing(merged(voicing, options, DocumentCaptionOptions.__optional_keys__)),
        **_without_none(skip=options.get("skip")),
        "caption_format": caption_format,
    }
    return Request("GET", f"{_document(document_id)}/captions", query, min_timeout=_SYNTHESIS_SECONDS)


def voices(model: str | None, language: str | None) -> Request:
    return Request("GET", _VOICES, _without_none(model=model, language=language))


def voice_preview(voice: str, model: str | None) -> Request:
    query = _without_none(voice=voice, model=model)
    return Request("GET", "/v1/audio/voices/preview", query, min_timeout=_SYNTHESIS_SECONDS)


def create_voice(audio: bytes, fields: Mapping[str, str | None]) -> Request:
    form = _without_none(**fields)
    return Request(
        "POST", _VOICES, form=form, file=File("audio", audio), min_timeout=_UPLOAD_SECONDS, retry=False
    )  # not retried, as with documents


def create_mix(name: str, mix: Mix, language: str | None, description: str | None, model: str | None) -> Request:
    body = _without_none(name=name, mix=dict(mix), language=language, description=description, model=model)
    return Request("POST", f"{_VOICES}/mixes", body=body, retry=False)


def get_voice(voice_id: str) -> Request:
    return Request("GET", _voice(voice_id))


def change_voice(
    voice_id: str, name: str | None, description: str | None, language: str | None, transcript: str | None
) -> Request:
    body = _without_none(name=name, description=description, language=language, transcript=transcript)
    return Request("PATCH", _voice(voice_id), body=body)


def delete_voice(voice_id: str) -> Request:
    return Request("DELETE", _voice(voice_id))


def voice_recording(voice_id: str) -> Request:
    return Request("GET", f"{_voice(voice_id)}/prompt")


MODELS: Final = Request("GET", "/v1/models")
STATUS: Final = Request("GET", "/readyz", retry=False)


def _document(document_id: str) -> str:
    return f"{_DOCUMENTS}/{quote(document_id, safe='')}"


def _job(job_id: str) -> str:
    return f"/api/v1/jobs/{quote(job_id, safe='')}"


def _voice(voice_id: str) -> str:
    return f"{_VOICES}/{quote(voice_id, safe='')}"


def _text(text: Text, options: TextOptions) -> dict[str, Any]:
    fields: dict[str, Any] = {"input": text} if isinstance(text, str) else {"turns": [_turn(turn) for turn in text]}
    return {**fields, "dialogue": True} if options.get("dialogue") else fields


def _turn(turn: Turn) -> dict[str, Any]:
    return _without_none(**{**msgspec.structs.asdict(turn), "voice": voice_name(turn.voice)})


def _voicing(voicing: Voicing) -> dict[str, Any]:
    return _without_none(**{**msgspec.structs.asdict(voicing), "voice": voice_name(voicing.voice)})


def _document_audio_query(voicing: Voicing | None, options: BlockAudioOptions, known: frozenset[str]) -> dict[str, Any]:
    chosen = merged(voicing, options, known)
    return {**_document_voicing(chosen), "response_format": options.get("audio_format", "opus")}


def _document_voicing(voicing: Voicing) -> dict[str, Any]:
    fields = _voicing(voicing)
    for name in fields:
        if name not in DocumentVoicing.__optional_keys__:
            raise ValueError(f"documents are not spoken with {name}: leave it out of the voicing")
    return {**fields, "pauses": spelled(voicing.pauses)} if voicing.pauses else fields


def _without_none(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Leaves out what the caller left to the server."""
    return {name: value for name, value in fields.items() if value is not None}

"""What to ask of the REST API, without any transport."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import quote

import httpx
import msgspec

from lectern.errors import LecternError
from lectern.rest import events
from lectern.types import CaptionFormat, DocumentFormat
from lectern.voicing import (
    DocumentAudioOptions,
    DocumentCaptionOptions,
    DocumentOptions,
    DocumentVoicing,
    SpeechOptions,
    Text,
    TextOptions,
    Turn,
    Voicing,
    merged,
    voice_name,
)

_DOCUMENTS: Final = "/api/v1/documents"
SYNTHESIS_SECONDS: Final = 300.0  # a model may be queued behind other listeners before the first byte comes


@dataclass(frozen=True, slots=True)
class File:
    """A field of a form that is a file."""

    field: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    form: dict[str, Any] | None = None  # in the place of a body, with a file
    file: File | None = None
    least_timeout: float = 0.0  # seconds without a byte of the answer that are still no fault
    content_type: str | None = None  # of the answer, if no other will do
    repeat: bool = True  # whether to ask again where the server says that it cannot answer now


def build(http: httpx.Client | httpx.AsyncClient, request: Request, timeout: float) -> httpx.Request:
    """Raises LecternError for text that no encoding can carry."""
    read = max(timeout, request.least_timeout)
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
        **_said(text, options),
        **_manner(merged(voicing, options, SpeechOptions.__optional_keys__)),
        **given(
            response_format=options.get("audio_format", "opus"),
            sample_rate=options.get("sample_rate"),
            loudness=options.get("loudness"),
        ),
    }
    return Request("POST", "/v1/audio/speech", body=body, least_timeout=SYNTHESIS_SECONDS)


def speech_events(text: Text, voicing: Voicing | None, options: SpeechOptions, *, timestamps: bool) -> Request:
    asked = speech(text, voicing, options)
    body = {**(asked.body or {}), "stream_format": "sse", "timestamps": "word" if timestamps else "none"}
    return Request(
        asked.method, asked.path, body=body, least_timeout=asked.least_timeout, content_type=events.CONTENT_TYPE
    )


def captions(text: Text, voicing: Voicing | None, options: TextOptions, caption_format: CaptionFormat) -> Request:
    manner = _manner(merged(voicing, options, TextOptions.__optional_keys__))
    body = {**_said(text, options), **manner, "caption_format": caption_format}
    return Request("POST", "/v1/audio/captions", body=body, least_timeout=SYNTHESIS_SECONDS)


def create_document(text: str, title: str | None, document_format: DocumentFormat) -> Request:
    # Not repeated: a server whose database was away for a moment may have kept the document all the same.
    return Request("POST", _DOCUMENTS, body=given(text=text, title=title, format=document_format), repeat=False)


def documents(after: str | None, page_size: int) -> Request:
    return Request("GET", _DOCUMENTS, given(after=after, limit=page_size))


def get_document(document_id: str) -> Request:
    return Request("GET", _document(document_id))


def delete_document(document_id: str) -> Request:
    return Request("DELETE", _document(document_id))


def blocks(document_id: str, after: int | None, page_size: int) -> Request:
    return Request("GET", f"{_document(document_id)}/blocks", given(after=after, limit=page_size))


def block_audio(
    method: Literal["GET", "HEAD"],
    document_id: str,
    block_id: str,
    voicing: Voicing | None,
    options: DocumentOptions,
) -> Request:
    path = f"{_document(document_id)}/blocks/{quote(block_id, safe='')}/audio"
    return Request(
        method, path, _rendition(voicing, options, DocumentOptions.__optional_keys__), least_timeout=SYNTHESIS_SECONDS
    )


def document_audio(document_id: str, voicing: Voicing | None, options: DocumentAudioOptions) -> Request:
    query = {
        **_rendition(voicing, options, DocumentAudioOptions.__optional_keys__),
        **given(loudness=options.get("loudness"), skip=options.get("skip")),
    }
    return Request("GET", f"{_document(document_id)}/audio", query, least_timeout=SYNTHESIS_SECONDS)


def document_captions(
    document_id: str, voicing: Voicing | None, options: DocumentCaptionOptions, caption_format: CaptionFormat
) -> Request:
    query = {
        **_document_manner(merged(voicing, options, DocumentCaptionOptions.__optional_keys__)),
        **given(skip=options.get("skip")),
        "caption_format": caption_format,
    }
    return Request("GET", f"{_document(document_id)}/captions", query, least_timeout=SYNTHESIS_SECONDS)


MODELS: Final = Request("GET", "/v1/models")
STATUS: Final = Request("GET", "/readyz", repeat=False)


def _document(document_id: str) -> str:
    return f"{_DOCUMENTS}/{quote(document_id, safe='')}"


def _said(text: Text, options: TextOptions) -> dict[str, Any]:
    said: dict[str, Any] = {"input": text} if isinstance(text, str) else {"turns": [_turn(turn) for turn in text]}
    return {**said, "dialogue": True} if options.get("dialogue") else said


def _turn(turn: Turn) -> dict[str, Any]:
    return given(**{**msgspec.structs.asdict(turn), "voice": voice_name(turn.voice)})


def _manner(voicing: Voicing) -> dict[str, Any]:
    return given(**{**msgspec.structs.asdict(voicing), "voice": voice_name(voicing.voice)})


def _rendition(voicing: Voicing | None, options: DocumentOptions, known: frozenset[str]) -> dict[str, Any]:
    chosen = merged(voicing, options, known)
    return {**_document_manner(chosen), "response_format": options.get("audio_format", "opus")}


def _document_manner(voicing: Voicing) -> dict[str, Any]:
    manner = _manner(voicing)
    for name in manner:
        if name not in DocumentVoicing.__optional_keys__:
            raise ValueError(f"documents are not spoken with {name}: leave it out of the voicing")
    return manner


def given(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """What the caller left out is for the server to choose."""
    return {name: value for name, value in fields.items() if value is not None}

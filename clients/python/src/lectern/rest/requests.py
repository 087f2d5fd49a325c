"""What to ask of the REST API, without any transport."""

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import httpx
import msgspec

from lectern.errors import LecternError
from lectern.types import AudioFormat, DocumentFormat

_DOCUMENTS: Final = "/api/v1/documents"
_SYNTHESIS_SECONDS: Final = 300.0  # a model may be queued behind other listeners before the first byte comes


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    least_timeout: float = 0.0  # seconds without a byte of the answer that are still no fault


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
            headers=None if content is None else {"content-type": "application/json"},
            timeout=httpx.Timeout(timeout, connect=connect, read=read),
        )
    except UnicodeEncodeError as error:
        raise LecternError(
            "the text holds one half of a surrogate pair, which UTF-8 cannot carry: remove it"
        ) from error


def speech(text: str, voice: str | None, model: str | None, speed: float | None, audio: AudioFormat) -> Request:
    body = _given(input=text, voice=voice, model=model, speed=speed, response_format=audio)
    return Request("POST", "/v1/audio/speech", body=body, least_timeout=_SYNTHESIS_SECONDS)


def create_document(text: str, title: str | None, document_format: DocumentFormat) -> Request:
    return Request("POST", _DOCUMENTS, body=_given(text=text, title=title, format=document_format))


def documents(after: str | None, page_size: int) -> Request:
    return Request("GET", _DOCUMENTS, _given(after=after, limit=page_size))


def get_document(document_id: str) -> Request:
    return Request("GET", _document(document_id))


def delete_document(document_id: str) -> Request:
    return Request("DELETE", _document(document_id))


def blocks(document_id: str, after: int | None, page_size: int) -> Request:
    return Request("GET", f"{_document(document_id)}/blocks", _given(after=after, limit=page_size))


def block_audio(
    method: str,
    document_id: str,
    block_id: str,
    voice: str | None,
    model: str | None,
    speed: float | None,
    audio: AudioFormat,
) -> Request:
    path = f"{_document(document_id)}/blocks/{quote(block_id, safe='')}/audio"
    return Request(method, path, _variant(voice, model, speed, audio), least_timeout=_SYNTHESIS_SECONDS)


def document_audio(
    document_id: str, voice: str | None, model: str | None, speed: float | None, audio: AudioFormat
) -> Request:
    query = _variant(voice, model, speed, audio)
    return Request("GET", f"{_document(document_id)}/audio", query, least_timeout=_SYNTHESIS_SECONDS)


def voices(model: str | None, language: str | None) -> Request:
    return Request("GET", "/api/v1/voices", _given(model=model, language=language))


MODELS: Final = Request("GET", "/v1/models")
STATUS: Final = Request("GET", "/readyz")


def _document(document_id: str) -> str:
    return f"{_DOCUMENTS}/{quote(document_id, safe='')}"


def _variant(voice: str | None, model: str | None, speed: float | None, audio: AudioFormat) -> dict[str, Any]:
    return _given(voice=voice, model=model, speed=speed, response_format=audio)


def _given(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """What the caller left out is for the server to choose."""
    return {name: value for name, value in fields.items() if value is not None}

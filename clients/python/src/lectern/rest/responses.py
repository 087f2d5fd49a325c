"""Reads the responses of the REST API, and raises the error for those that are none."""

from http import HTTPStatus
from typing import Any, Final, TypeVar

import httpx
import msgspec

from lectern.errors import (
    ApiError,
    AuthenticationError,
    BusyError,
    ConnectionLostError,
    LecternError,
    NotFoundError,
    UnexpectedResponseError,
    UnreachableError,
)
from lectern.types import Block, Document, FieldError, Model, Status, Voice

T = TypeVar("T")


class VoiceList(msgspec.Struct):
    items: list[Voice]


class ModelList(msgspec.Struct):
    data: list[Model]


class DocumentPage(msgspec.Struct):
    items: list[Document]
    next: str | None


class BlockPage(msgspec.Struct):
    items: list[Block]
    next: int | None


_BY_STATUS: Final[dict[int, type[ApiError]]] = {
    HTTPStatus.UNAUTHORIZED: AuthenticationError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.TOO_MANY_REQUESTS: BusyError,
    HTTPStatus.SERVICE_UNAVAILABLE: BusyError,
}


def check(response: httpx.Response) -> None:
    """Raises ApiError for a response that is no success. The body must have been read."""
    if response.is_success:
        return
    if response.is_redirect:
        raise UnexpectedResponseError(
            f"{response.url} has moved to {response.headers.get('location')}: use that address"
        )
    raise _api_error(response)


def decode(response: httpx.Response, kind: type[T]) -> T:
    return parsed(response.content, kind, str(response.url))


def parsed(content: bytes, kind: type[T], url: str) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise UnexpectedResponseError(f"{url} does not answer as Lectern does: {error}") from error


def status(response: httpx.Response) -> Status:
    """Returns the status of the server. An unready server answers with 503, which is no error here."""
    if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        check(response)
    return decode(response, Status)


def seconds(response: httpx.Response) -> float | None:
    value = response.headers.get("x-lectern-seconds")
    return None if value is None else float(value)


def check_stream(response: httpx.Response, content_type: str | None) -> None:
    """Raises UnexpectedResponseError for another content type, and for a body that ends where the connection ends.

    Such a body would look complete when it was cut.
    """
    actual = response.headers.get("content-type", "")
    if content_type is not None and not actual.startswith(content_type):
        raise UnexpectedResponseError(
            f"{response.url} answers with {actual or 'something'} and not with {content_type}"
        )
    if "content-length" not in response.headers and "transfer-encoding" not in response.headers:
        raise UnexpectedResponseError(
            f"{response.url} does not say where its response ends, so a broken connection could not be told from the "
            "end: a proxy on the way has to speak HTTP/1.1"
        )


def transport_error(error: httpx.RequestError, url: str) -> LecternError:
    reason = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        return UnreachableError(url, reason)
    if isinstance(error, httpx.TimeoutException):
        return ConnectionLostError(f"{url} stopped answering")
    return ConnectionLostError(f"the connection to {url} broke before the response was complete ({reason})")


def _api_error(response: httpx.Response) -> ApiError:
    body = _json_object(response)
    request_id = response.headers.get("x-request-id") or body.get("request_id")
    title = body.get("title") or HTTPStatus(response.status_code).phrase
    detail, errors = body.get("detail"), body.get("errors")
    if isinstance(openai := body.get("error"), dict):  # the shape of errors under /v1
        detail = openai.get("message")
    error = _BY_STATUS.get(response.status_code, ApiError)(
        response.status_code, str(title), detail and str(detail), request_id, _field_errors(errors)
    )
    error.retry_after = retry_after(response)
    return error


def _json_object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(response.content)
    except msgspec.DecodeError:  # a proxy's page; the status says what there is to know
        return {}
    return body if isinstance(body, dict) else {}


def _field_errors(errors: object) -> list[FieldError]:
    try:
        return msgspec.convert(errors or [], list[FieldError])
    except msgspec.ValidationError:
        return []


def retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else None  # the other form, a date, is not worth a parser here

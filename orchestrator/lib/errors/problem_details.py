"""Turns every exception into an answer: RFC 9457 problem details, or OpenAI's error shape under /v1."""

from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from orchestrator.lib.access_log import request_id_of
from orchestrator.lib.database import is_outage
from orchestrator.lib.errors.problems import BadRequest, FieldError, Problem, TooLarge, Unavailable
from orchestrator.lib.errors.validation import field_errors

log = structlog.stdlib.get_logger("lectern.errors")

_TITLES = {400: "Bad request", 401: "Not authenticated", 403: "Forbidden", 404: "Not found", 405: "Method not allowed"}

_FORM_ADVICE: Final = "Send text in UTF-8, and a file with a filename."


class _Answer(msgspec.Struct):
    status: int
    title: str
    slug: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    retry_after: int | None = None
    headers: dict[str, str] | None = None


def answer_exception(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    answer = _from_validation(error, request) if isinstance(error, ValidationException) else _from_exception(error)
    if answer.status >= 500:  # noqa: PLR2004
        log.error("request failed", status=answer.status, detail=answer.detail, exc_info=error)
    body, media_type = _openai_body(answer) if request.url.path.startswith("/v1/") else _problem_body(answer, request)
    headers = dict(answer.headers or {})
    if answer.retry_after is not None:
        headers["retry-after"] = str(answer.retry_after)
    if answer.status == 401:  # noqa: PLR2004
        headers["www-authenticate"] = "Bearer"
    return Response(msgspec.json.encode(body), status_code=answer.status, media_type=media_type, headers=headers)


def summary(error: Exception) -> dict[str, Any]:
    """Returns the problem without its request, for an event or a message."""
    answer = _from_exception(error)
    body: dict[str, Any] = {
        "type": f"urn:lectern:problem:{answer.slug}",
        "title": answer.title,
        "status": answer.status,
        "detail": answer.detail,
    }
    if answer.errors:
        body["errors"] = answer.errors
    if answer.retry_after is not None:
        body["retry_after"] = answer.retry_after
    return body


def _from_exception(error: Exception) -> _Answer:
    match error:
        case Problem():
            return _Answer(
                error.status, error.title, error.slug, error.detail, error.errors, retry_after=error.retry_after
            )
        case HTTPException(status_code=413):
            return _Answer(413, TooLarge.title, TooLarge.slug, "The request body is larger than this server accepts.")
        case HTTPException():
            title = _TITLES.get(error.status_code, "Request refused")
            detail = error.detail if error.detail and error.detail != title else f"{title}."
            return _Answer(error.status_code, title, title.lower().replace(" ", "-"), detail, headers=error.headers)
        case _ if is_outage(error):
            return _from_exception(
                Unavailable("The database does not answer. Try again in some seconds.", retry_after=5)
            )
        case _:
            return _Answer(Problem.status, Problem.title, Problem.slug, Problem.__doc__ or Problem.title)


def _from_validation(error: ValidationException, request: Request[Any, Any, Any]) -> _Answer:
    errors = field_errors(error, request)
    detail = "; ".join(f"{one.field}: {one.message}" for one in errors) or error.detail
    return _Answer(400, "Bad request", "invalid-request", detail, tuple(errors))


def _problem_body(answer: _Answer, request: Request[Any, Any, Any]) -> tuple[dict[str, Any], str]:
    body: dict[str, Any] = {
        "type": f"urn:lectern:problem:{answer.slug}",
        "title": answer.title,
        "status": answer.status,
        "detail": answer.detail,
        "instance": request.url.path,
        "request_id": request_id_of(request.scope),
    }
    if answer.errors:
        body["errors"] = answer.errors
    return body, "application/problem+json"


def openai_error(problem: Problem) -> dict[str, Any]:
    """Returns the problem in OpenAI's shape, for a response that has begun."""
    return _openai_body(_from_exception(problem))[0]["error"]  # type: ignore[no-any-return]


def _openai_body(answer: _Answer) -> tuple[dict[str, Any], str]:
    kind = "invalid_request_error" if answer.status < 500 else "server_error"  # noqa: PLR2004
    field = answer.errors[0].field if answer.errors else None
    return {
        "error": {"message": answer.detail, "type": kind, "param": field, "code": answer.slug.replace("-", "_")}
    }, "application/json"


def _not_utf8(request: Request[Any, Any, Any], _: UnicodeDecodeError) -> Response[bytes]:
    return answer_exception(request, BadRequest(f"A field of the form is no text. {_FORM_ADVICE}"))


def _unknown_charset(request: Request[Any, Any, Any], error: LookupError) -> Response[bytes]:
    # A failed lookup in a dictionary or a list is a subclass of LookupError, and a fault of ours.
    ours = type(error) is not LookupError
    return answer_exception(request, error if ours else BadRequest(f"A field of the form has {error}. {_FORM_ADVICE}"))


# A router's handlers for a form that cannot be decoded, which Litestar takes for a failure of the server.
FORM_EXCEPTION_HANDLERS: Final = {UnicodeDecodeError: _not_utf8, LookupError: _unknown_charset}

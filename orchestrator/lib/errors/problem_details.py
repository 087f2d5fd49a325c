"""Turns every exception into an answer: RFC 9457 problem details, or OpenAI's error shape under /v1."""

from traceback import walk_tb
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import ClientException, HTTPException, ValidationException

from orchestrator.lib.access_log import request_id_of
from orchestrator.lib.database import DISK_FULL, is_full, is_outage
from orchestrator.lib.errors.problems import BadRequest, FieldError, Problem, StorageFull, TooLarge, Unavailable
from orchestrator.lib.errors.validation import field_errors

log = structlog.stdlib.get_logger("lectern.errors")

_TITLES = {400: "Bad request", 401: "Not authenticated", 403: "Forbidden", 404: "Not found", 405: "Method not allowed"}

_FORM_ADVICE: Final = "Send multipart/form-data with its boundary, text in UTF-8, and a file with a filename."
_FORM: Final = "parse_multipart_form"  # Litestar's function, which takes some broken forms for failures of the server


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
        if answer.status == Problem.status:
            log.error("request failed", status=answer.status, detail=answer.detail, exc_info=error)
        else:  # foreseen, such as a busy model or a database that is away
            cause = error.__cause__ if isinstance(error, Problem) else error
            log.warning("request refused", status=answer.status, detail=answer.detail, cause=repr(cause))
    body, media_type = _openai_body(answer) if request.url.path.startswith("/v1/") else _problem_body(answer, request)
    headers = dict(answer.headers or {})
    if answer.retry_after is not None:
        headers["retry-after"] = str(answer.retry_after)
    if answer.status == 401:  # noqa: PLR2004
        headers["www-authenticate"] = "Bearer"
    return Response(msgspec.json.encode(body), status_code=answer.status, media_type=media_type, headers=headers)


def summary(error: Exception) -> dict[str, Any]:
    """Returns the problem without its request, for an event or a message."""
    answer = _from_validation(error, None) if isinstance(error, ValidationException) else _from_exception(error)
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
        case _ if problem := _problem_with_form(error):
            return _from_exception(problem)
        case HTTPException():
            title = _TITLES.get(error.status_code, "Request refused")
            detail = error.detail if error.detail and error.detail != title else f"{title}."
            return _Answer(error.status_code, title, title.lower().replace(" ", "-"), detail, headers=error.headers)
        case _ if is_full(error):
            return _from_exception(StorageFull(DISK_FULL))
        case _ if is_outage(error):
            return _from_exception(
                Unavailable("The database does not answer. Try again in some seconds.", retry_after=5)
            )
        case _:
            return _Answer(Problem.status, Problem.title, Problem.slug, Problem.__doc__ or Problem.title)


def _problem_with_form(error: Exception) -> Problem | None:
    match error:
        case ClientException(detail="Request Entity Too Large"):  # what Litestar says of a form
            return TooLarge("The form has too many parts, or a part too long a header. Send fewer.")
        case ClientException(detail="Invalid multipart/form-data"):
            why = error.__cause__.args[0] if error.__cause__ else "it is broken"
            return BadRequest(f"The form cannot be read: {why}. {_FORM_ADVICE}")
        case ValueError() | LookupError() if _raised_in(error, _FORM):  # by a charset that is unknown or not of text
            return BadRequest(f"A field of the form cannot be decoded: {error}. {_FORM_ADVICE}")
        case _:
            return None


def _raised_in(error: Exception, function: str) -> bool:
    return any(frame.f_code.co_name == function for frame, _ in walk_tb(error.__traceback__))


def _from_validation(error: ValidationException, request: Request[Any, Any, Any] | None) -> _Answer:
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

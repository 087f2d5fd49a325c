"""Turns every exception into an answer: RFC 9457 problem details, or OpenAI's error shape under /v1."""

from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from orchestrator.lib.database import is_outage
from orchestrator.lib.errors import FieldError, Problem, TooLarge, Unavailable
from orchestrator.lib.request_trail import request_id_of

log = structlog.stdlib.get_logger("lectern.errors")

_TITLES = {400: "Bad request", 401: "Not authenticated", 403: "Forbidden", 404: "Not found", 405: "Method not allowed"}


class _Answer(msgspec.Struct):
    status: int
    title: str
    slug: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    retry_after: int | None = None
    headers: dict[str, str] | None = None


def answer_exception(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    answer = _understand(error)
    if answer.status >= 500:  # noqa: PLR2004
        log.error("request failed", status=answer.status, detail=answer.detail, exc_info=error)
    body, media_type = _openai(answer) if request.url.path.startswith("/v1/") else _problem(answer, request)
    headers = dict(answer.headers or {})
    if answer.retry_after is not None:
        headers["retry-after"] = str(answer.retry_after)
    if answer.status == 401:  # noqa: PLR2004
        headers["www-authenticate"] = "Bearer"
    return Response(msgspec.json.encode(body), status_code=answer.status, media_type=media_type, headers=headers)


def _understand(error: Exception) -> _Answer:
    match error:
        case Problem():
            return _Answer(
                error.status, error.title, error.slug, error.detail, error.errors, retry_after=error.retry_after
            )
        case ValidationException():
            return _invalid(error)
        case HTTPException(status_code=413):
            return _Answer(413, TooLarge.title, TooLarge.slug, "The request body is larger than this server accepts.")
        case HTTPException():
            title = _TITLES.get(error.status_code, "Request refused")
            detail = error.detail if error.detail and error.detail != title else f"{title}."
            return _Answer(error.status_code, title, title.lower().replace(" ", "-"), detail, headers=error.headers)
        case _ if is_outage(error):
            return _understand(Unavailable("The database does not answer. Try again in some seconds.", retry_after=5))
        case _:
            return _Answer(Problem.status, Problem.title, Problem.slug, Problem.__doc__ or Problem.title)


def _invalid(error: ValidationException) -> _Answer:
    found = [
        FieldError(field=str(item.get("key") or item.get("source") or "body"), message=str(item.get("message")))
        for item in (error.extra if isinstance(error.extra, list) else [])
    ]
    detail = "; ".join(f"{one.field}: {one.message}" for one in found) or error.detail
    return _Answer(400, "Bad request", "invalid-request", detail, tuple(found))


def _problem(answer: _Answer, request: Request[Any, Any, Any]) -> tuple[dict[str, Any], str]:
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


def _openai(answer: _Answer) -> tuple[dict[str, Any], str]:
    kind = "invalid_request_error" if answer.status < 500 else "server_error"  # noqa: PLR2004
    field = answer.errors[0].field if answer.errors else None
    return {
        "error": {"message": answer.detail, "type": kind, "param": field, "code": answer.slug.replace("-", "_")}
    }, "application/json"

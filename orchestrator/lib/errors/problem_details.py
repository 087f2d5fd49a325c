"""Turns every exception into an answer: RFC 9457 problem details, or OpenAI's error shape under /v1."""

import re
from inspect import isclass
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.handlers import HTTPRouteHandler

from orchestrator.lib.database import is_outage
from orchestrator.lib.errors.body_fields import wrong_fields
from orchestrator.lib.errors.enum_values import enum_values
from orchestrator.lib.errors.problems import FieldError, Problem, TooLarge, Unavailable
from orchestrator.lib.json_body import JSON_BODY
from orchestrator.lib.request_ids import request_id_of
from orchestrator.lib.schema import Schema

log = structlog.stdlib.get_logger("lectern.errors")

_TITLES = {400: "Bad request", 401: "Not authenticated", 403: "Forbidden", 404: "Not found", 405: "Method not allowed"}

_ODD_FIELD: Final = re.compile(
    r"Object (?:contains unknown|(?P<missing>missing required)) field `(?P<name>.*)`", re.DOTALL
)
_NO_CHOICE: Final = re.compile(r"Invalid enum value (?P<value>.*)", re.DOTALL)
_SHOWN: Final = 60  # characters of a wrong value that are worth repeating


class _Answer(msgspec.Struct):
    status: int
    title: str
    slug: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    retry_after: int | None = None
    headers: dict[str, str] | None = None


def answer_exception(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    answer = _invalid(error, request) if isinstance(error, ValidationException) else _understand(error)
    if answer.status >= 500:  # noqa: PLR2004
        log.error("request failed", status=answer.status, detail=answer.detail, exc_info=error)
    body, media_type = _openai(answer) if request.url.path.startswith("/v1/") else _problem(answer, request)
    headers = dict(answer.headers or {})
    if answer.retry_after is not None:
        headers["retry-after"] = str(answer.retry_after)
    if answer.status == 401:  # noqa: PLR2004
        headers["www-authenticate"] = "Bearer"
    return Response(msgspec.json.encode(body), status_code=answer.status, media_type=media_type, headers=headers)


def summary(error: Exception) -> dict[str, Any]:
    """The problem alone, for what has no response of its own: an event, a message."""
    answer = _understand(error)
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


def _understand(error: Exception) -> _Answer:
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
            return _understand(Unavailable("The database does not answer. Try again in some seconds.", retry_after=5))
        case _:
            return _Answer(Problem.status, Problem.title, Problem.slug, Problem.__doc__ or Problem.title)


def _invalid(error: ValidationException, request: Request[Any, Any, Any]) -> _Answer:
    handler = request.scope.get("route_handler")
    items = error.extra if isinstance(error.extra, list) else []
    found = [_field_error(item, handler) for item in _all_of_body(items, handler, request)]
    detail = "; ".join(f"{one.field}: {one.message}" for one in found) or error.detail
    return _Answer(400, "Bad request", "invalid-request", detail, tuple(found))


def _all_of_body(items: list[dict[str, Any]], handler: object, request: Request[Any, Any, Any]) -> list[dict[str, Any]]:
    """Puts all that is wrong with the fields of a JSON body in the place of the first, which is all that is told."""
    if not isinstance(handler, HTTPRouteHandler) or "data" not in handler.parsed_fn_signature.parameters:
        return items
    kind, body = handler.parsed_fn_signature.parameters["data"].annotation, request.scope.get(JSON_BODY)
    if not (isclass(kind) and issubclass(kind, Schema) and isinstance(body, dict)):
        return items
    wrong = [{"key": path, "message": message, "source": "body"} for path, message in wrong_fields(kind, body)]
    others = [item for item in items if item.get("source") != "body"]
    return wrong + others if wrong else items


def _field_error(item: dict[str, Any], handler: object) -> FieldError:
    path, message = str(item.get("key") or item.get("source") or "body"), str(item.get("message"))
    if path == "data":  # Litestar's name for the whole body
        path = "body"
    if message == "'data'":  # what is left of its KeyError
        return FieldError(path, "is missing. Send JSON.")
    if odd := _ODD_FIELD.fullmatch(message):
        name = odd["name"] if path == "body" else f"{path}.{odd['name']}"
        return FieldError(name, "is missing" if odd["missing"] else "unknown field")
    if (wrong := _NO_CHOICE.fullmatch(message)) and isinstance(handler, HTTPRouteHandler):
        value = wrong["value"] if len(wrong["value"]) <= _SHOWN else f"{wrong['value'][:_SHOWN]}…"
        return FieldError(path, f"{value} is not one of {', '.join(_choices(handler, item))}")
    return FieldError(path, message)


def _choices(handler: HTTPRouteHandler, item: dict[str, Any]) -> list[str]:
    """Return what the field may be: of the body, or a parameter of the route or of what it depends on."""
    path = str(item.get("key"))
    if item.get("source") == "body":
        return enum_values(handler.parsed_fn_signature.parameters["data"].annotation, path)
    dependencies = handler.resolve_dependencies().values()
    for signature in (handler.parsed_fn_signature, *(one.parsed_fn_signature for one in dependencies)):
        if path in signature.parameters:
            kind = signature.parameters[path].annotation
            return enum_values(kind) or enum_values(kind, "[0]")  # of each of several
    return []


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


def openai_error(problem: Problem) -> dict[str, Any]:
    """OpenAI's shape of it, for a response that has begun."""
    return _openai(_understand(problem))[0]["error"]  # type: ignore[no-any-return]


def _openai(answer: _Answer) -> tuple[dict[str, Any], str]:
    kind = "invalid_request_error" if answer.status < 500 else "server_error"  # noqa: PLR2004
    field = answer.errors[0].field if answer.errors else None
    return {
        "error": {"message": answer.detail, "type": kind, "param": field, "code": answer.slug.replace("-", "_")}
    }, "application/json"

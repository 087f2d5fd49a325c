"""Refuses query parameters that would be ignored in silence: misspelt, repeated and empty ones."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler, WebsocketRouteHandler
from litestar.params import CookieParameter, HeaderParameter, ParameterKwarg, PathParameter
from litestar.types import ASGIApp, Receive, Scope, Send
from litestar.typing import FieldDefinition

from orchestrator.lib.errors.problems import BadRequest, FieldError

_OPTION = "query_parameters"
_CHECKED = (HTTPRouteHandler, WebsocketRouteHandler)
_RESERVED = {
    "request",
    "data",
    "state",
    "scope",
    "socket",
}  # names under which Litestar itself passes arguments to a route


class QueryParameters:
    """A middleware, not a guard: Litestar copies the route's handler for each call of a guard."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["query_string"]:
            _refuse_unclear(ASGIConnection(scope), scope["route_handler"])
        await self.app(scope, receive, send)


def _refuse_unclear(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Raises `BadRequest`, which names the parameter and says what to do about it."""
    if not connection.query_params or not isinstance(handler, _CHECKED):
        return
    known = _known(handler)
    given = connection.query_params.dict()
    unknown = [name for name in given if name not in known]
    if unknown:
        detail = f"Unknown query parameter '{unknown[0]}'. {_advice(unknown[0], known)}"
        raise BadRequest(detail, errors=[FieldError(f"query.{name}", "unknown query parameter") for name in unknown])
    repeated = [name for name, values in given.items() if len(values) > 1 and not known[name]]
    if repeated:
        detail = f"The query parameter '{repeated[0]}' is given more than once. Send the one that is meant."
        raise BadRequest(detail, errors=[FieldError(f"query.{name}", "given more than once") for name in repeated])
    empty = [name for name, values in given.items() if "" in values]
    if empty:
        detail = f"The query parameter '{empty[0]}' is empty. Give it a value, or leave it out."
        raise BadRequest(detail, errors=[FieldError(f"query.{name}", "is empty") for name in empty])


def _known(handler: BaseRouteHandler) -> Mapping[str, bool]:
    """Returns the parameters of the route and its dependencies, each with whether it may be repeated.

    Computed once for each route and cached in its options.
    """
    if _OPTION not in handler.opt:
        dependencies = handler.resolve_dependencies()
        signatures = [handler.parsed_fn_signature, *(one.parsed_fn_signature for one in dependencies.values())]
        handler.opt[_OPTION] = {
            _name(name, field): _is_list(field)
            for signature in signatures
            for name, field in signature.parameters.items()
            if name not in dependencies and name not in _RESERVED and _may_be_query(field)
        }
    return handler.opt[_OPTION]  # type: ignore[no-any-return]


def _name(argument: str, field: FieldDefinition) -> str:
    kind = field.kwarg_definition
    return (kind.name if isinstance(kind, ParameterKwarg) else None) or argument


def _may_be_query(field: FieldDefinition) -> bool:
    return not isinstance(field.kwarg_definition, HeaderParameter | CookieParameter | PathParameter)


def _is_list(field: FieldDefinition) -> bool:
    return field.is_non_string_collection or any(one.is_non_string_collection for one in field.inner_types)


def _advice(name: str, known: Mapping[str, bool]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"Did you mean '{near[0]}'?" if near else "The API's documentation at /docs lists those that exist."

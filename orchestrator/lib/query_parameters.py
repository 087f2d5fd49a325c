"""Refuses query parameters that a route does not know: a misspelt one must not be ignored in silence."""

from difflib import get_close_matches
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import ParameterKwarg

from orchestrator.lib.errors import BadRequest, FieldError

_OPTION = "query_parameters"
_RESERVED = {"request", "data", "state"}  # what Litestar itself hands to a route under these names


def refuse_unknown(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """A Litestar guard. Raises `BadRequest` that names the parameter and, if one is near, the one that was meant."""
    if not connection.query_params or not isinstance(handler, HTTPRouteHandler):
        return
    known = _known(handler)
    unknown = [name for name in connection.query_params if name not in known]
    if unknown:
        raise BadRequest(
            f"Unknown query parameter '{unknown[0]}'. {_advice(unknown[0], known)}",
            errors=[FieldError(f"query.{name}", "unknown query parameter") for name in unknown],
        )


def _known(handler: HTTPRouteHandler) -> frozenset[str]:
    """Of the route and of what it depends on. Computed once for each route and kept in its options."""
    if _OPTION not in handler.opt:
        dependencies = handler.resolve_dependencies()
        signatures = [handler.parsed_fn_signature, *(one.parsed_fn_signature for one in dependencies.values())]
        handler.opt[_OPTION] = frozenset(
            (field.kwarg_definition.query if isinstance(field.kwarg_definition, ParameterKwarg) else None) or name
            for signature in signatures
            for name, field in signature.parameters.items()
            if name not in dependencies and name not in _RESERVED
        )
    return handler.opt[_OPTION]  # type: ignore[no-any-return]


def _advice(name: str, known: frozenset[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"Did you mean '{near[0]}'?" if near else "The API's documentation at /docs lists those that exist."

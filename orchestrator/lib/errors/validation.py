"""Everything that is wrong with the fields of a request: msgspec stops at the first error and does not list choices."""

import re
from collections.abc import Iterable, Iterator, Mapping
from inspect import isclass
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.exceptions import ValidationException
from litestar.handlers import HTTPRouteHandler
from msgspec import inspect

from orchestrator.lib.errors.problems import FieldError
from orchestrator.lib.json_body import JSON_BODY
from orchestrator.lib.schema import Schema

_MESSAGE: Final = re.compile(r"(?P<message>.*?)(?: - at `\$(?P<path>[^`]*)`)?", re.DOTALL)
_MISSING_OR_UNKNOWN: Final = re.compile(
    r"Object (?:contains unknown|(?P<missing>missing required)) field `(?P<name>.*)`", re.DOTALL
)
_NOT_IN_ENUM: Final = re.compile(r"Invalid enum value (?P<value>.*)", re.DOTALL)
_SHOWN_CHARACTERS: Final = 60  # of a wrong value
_STEP: Final = re.compile(
    r"(?P<field>[^.\[\]]+)|\[[^\]]*\]"
)  # of a path such as `turns[1].voice`, as msgspec writes it


def field_errors(error: ValidationException, request: Request[Any, Any, Any] | None) -> list[FieldError]:
    """Returns the errors of all fields, with the choices of each enumeration; without those for a WebSocket."""
    items = error.extra if isinstance(error.extra, list) else []
    if request is None:
        return [_field_error(item, None) for item in items]
    handler = request.scope.get("route_handler")
    return [_field_error(item, handler) for item in _with_all_body_errors(items, handler, request)]


def _with_all_body_errors(
    items: list[dict[str, Any]], handler: object, request: Request[Any, Any, Any]
) -> list[dict[str, Any]]:
    """Replaces the first error of a JSON body, which is all that Litestar has, by all errors of the body."""
    if not isinstance(handler, HTTPRouteHandler) or "data" not in handler.parsed_fn_signature.parameters:
        return items
    kind, body = handler.parsed_fn_signature.parameters["data"].annotation, request.scope.get(JSON_BODY)
    if not (isclass(kind) and issubclass(kind, Schema) and isinstance(body, dict)):
        return items
    wrong = [{"key": path, "message": message, "source": "body"} for path, message in body_errors(kind, body)]
    others = [item for item in items if item.get("source") != "body"]
    return wrong + others if wrong else items


def _field_error(item: dict[str, Any], handler: object) -> FieldError:
    path, message = str(item.get("key") or item.get("source") or "body"), str(item.get("message"))
    if path == "data":  # Litestar's name for the whole body
        path = "body"
    if message == "'data'":  # what is left of Litestar's KeyError
        return FieldError(path, "is missing. Send JSON.")
    if found := _MISSING_OR_UNKNOWN.fullmatch(message):
        name = found["name"] if path == "body" else f"{path}.{found['name']}"
        return FieldError(name, "is missing" if found["missing"] else "unknown field")
    if (wrong := _NOT_IN_ENUM.fullmatch(message)) and isinstance(handler, HTTPRouteHandler):
        value = wrong["value"] if len(wrong["value"]) <= _SHOWN_CHARACTERS else f"{wrong['value'][:_SHOWN_CHARACTERS]}…"
        return FieldError(path, f"{value} is not one of {', '.join(_choices(handler, item))}")
    return FieldError(path, message)


def _choices(handler: HTTPRouteHandler, item: dict[str, Any]) -> list[str]:
    """Returns the choices of a field of the body, or of a parameter of the route or of its dependencies."""
    path = str(item.get("key"))
    if item.get("source") == "body":
        return enum_values(handler.parsed_fn_signature.parameters["data"].annotation, path)
    dependencies = handler.resolve_dependencies().values()
    for signature in (handler.parsed_fn_signature, *(one.parsed_fn_signature for one in dependencies)):
        if path in signature.parameters:
            kind = signature.parameters[path].annotation
            return enum_values(kind) or enum_values(kind, "[0]")  # of each value of a list
    return []


def body_errors(kind: type[Schema], body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields a path such as ``turns[0].text`` and msgspec's message, at most one for each field of the body."""
    valid: dict[str, Any] = {}
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name, value in body.items():
        if name not in fields:
            yield "body", f"Object contains unknown field `{name}`"
            continue
        try:
            valid[name] = msgspec.convert(value, fields[name].type, strict=False)
        except msgspec.ValidationError as wrong:
            found = _MESSAGE.fullmatch(str(wrong))
            yield (f"{name}{found['path'] or ''}", found["message"]) if found else (name, str(wrong))
    for name, field in fields.items():
        if field.required and name not in body:
            yield "body", f"Object missing required field `{name}`"
    for error in kind.objections(valid):
        yield error.field, error.message


def enum_values(kind: Any, path: str = "") -> list[str]:  # noqa: ANN401 - any type that msgspec converts to
    """Returns the values that ``path`` of a value of this type may have, or none if that is not an enumeration."""
    types = list(_flattened([inspect.type_info(kind)]))
    for step in _STEP.finditer(path):
        types = list(_flattened(_below(types, step["field"])))
    return list(dict.fromkeys(str(value) for found in types for value in _values(found)))


def _flattened(kinds: Iterable[inspect.Type]) -> Iterator[inspect.Type]:
    for kind in kinds:
        match kind:
            case inspect.Metadata(type=inner):
                yield from _flattened([inner])
            case inspect.UnionType(types=several):
                yield from _flattened(several)
            case _:
                yield kind


def _below(types: Iterable[inspect.Type], field: str | None) -> Iterator[inspect.Type]:
    """Yields the types of a field, or of an item if ``field`` is None."""
    for found in types:
        match found:
            case inspect.StructType(fields=fields) if field is not None:
                yield from (one.type for one in fields if one.encode_name == field)
            case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item) if field is None:
                yield item
            case inspect.DictType(value_type=value) if field is None:
                yield value


def _values(found: inspect.Type) -> Iterable[Any]:
    match found:
        case inspect.LiteralType(values=values):
            return values
        case inspect.EnumType(cls=enumeration):
            return [one.value for one in enumeration]
        case _:
            return ()

"""All that is wrong with the fields of a JSON body: msgspec itself stops at the first of them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from orchestrator.lib.schema import Schema

_MESSAGE: Final = re.compile(r"(?P<message>.*?)(?: - at `\$(?P<path>[^`]*)`)?", re.DOTALL)


def wrong_fields(kind: type[Schema], body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields paths such as ``turns[0].text`` with msgspec's messages, one for each field of the body itself."""
    right: dict[str, Any] = {}
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name, value in body.items():
        if name not in fields:
            yield "body", f"Object contains unknown field `{name}`"
            continue
        try:
            right[name] = msgspec.convert(value, fields[name].type, strict=False)
        except msgspec.ValidationError as error:
            found = _MESSAGE.fullmatch(str(error))
            yield (f"{name}{found['path'] or ''}", found["message"]) if found else (name, str(error))
    for name, field in fields.items():
        if field.required and name not in body:
            yield "body", f"Object missing required field `{name}`"
    for odd in kind.objections(right):
        yield odd.field, odd.message

"""Which values a field may have, where those can be listed: msgspec's own errors only say that a value is wrong."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec import inspect

_STEP: Final = re.compile(r"(?P<field>[^.\[\]]+)|\[[^\]]*\]")  # of `turns[1].voice`, as msgspec writes it


def enum_values(kind: Any, path: str = "") -> list[str]:  # noqa: ANN401 - any type that msgspec converts to
    """Return what may stand at `path` of a value of this type, and nothing if that is not an enumeration."""
    places = list(_unfolded([inspect.type_info(kind)]))
    for step in _STEP.finditer(path):
        places = list(_unfolded(_below(places, step["field"])))
    return list(dict.fromkeys(str(value) for place in places for value in _values(place)))


def _unfolded(kinds: Iterable[inspect.Type]) -> Iterator[inspect.Type]:
    for kind in kinds:
        match kind:
            case inspect.Metadata(type=inner):
                yield from _unfolded([inner])
            case inspect.UnionType(types=several):
                yield from _unfolded(several)
            case _:
                yield kind


def _below(places: Iterable[inspect.Type], field: str | None) -> Iterator[inspect.Type]:
    """Yield the types of a field, or without a name those of an item."""
    for place in places:
        match place:
            case inspect.StructType(fields=fields) if field is not None:
                yield from (one.type for one in fields if one.encode_name == field)
            case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item) if field is None:
                yield item
            case inspect.DictType(value_type=value) if field is None:
                yield value


def _values(place: inspect.Type) -> Iterable[Any]:
    match place:
        case inspect.LiteralType(values=values):
            return values
        case inspect.EnumType(cls=enumeration):
            return [one.value for one in enumeration]
        case _:
            return ()

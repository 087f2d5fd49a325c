"""Settings from environment variables: how a struct says which, and how one is read."""

import os
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Meta


class Secret:
    """A setting that never shows itself in a log, a traceback or a dump."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"


class SettingsError(Exception):
    """A setting is missing or cannot be used; the message names it."""


class EnvSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field names its environment variable and meaning in its ``Meta``, by `env`.

    A field without one is a constant: only tests pass another value.
    """


def env(variable: str, meaning: str, **bounds: Any) -> Meta:  # noqa: ANN401 - whatever Meta takes
    return Meta(description=meaning, extra={"env": variable}, **bounds)


S = TypeVar("S", bound=EnvSettings)


def read(kind: type[S], environment: Mapping[str, str] = os.environ) -> S:
    """Raises `SettingsError` with one line that names the variable and what is wrong with it."""
    values: dict[str, Any] = {}
    for field in variables(kind):
        variable = variable_of(field)
        if variable in environment:
            values[field.name] = _convert(environment[variable], field.type, variable)
        elif field.required:
            raise SettingsError(f"{variable} is not set. {meaning_of(field)}")
    return kind(**values)


def variables(kind: type[msgspec.Struct]) -> list[msgspec.structs.FieldInfo]:
    """Returns the fields that an environment variable sets."""
    return [field for field in msgspec.structs.fields(kind) if hasattr(field.type, "__metadata__")]


def variable_of(field: msgspec.structs.FieldInfo) -> str:
    return str(_meta(field).extra["env"])  # type: ignore[index]


def meaning_of(field: msgspec.structs.FieldInfo) -> str:
    return str(_meta(field).description)


def _meta(field: msgspec.structs.FieldInfo) -> Meta:
    return next(item for item in field.type.__metadata__ if isinstance(item, Meta))


def _convert(text: str, kind: Any, variable: str) -> Any:  # noqa: ANN401 - the field's own type
    try:
        return msgspec.convert(text, kind, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{variable} cannot be used: {error}") from None


def _decode(kind: type, value: Any) -> Any:  # noqa: ANN401 - msgspec's hook
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise NotImplementedError(f"no setting of type {kind}")


def numbers_by_name(text: str) -> dict[str, int]:
    """Parses a setting such as `kokoro=2,espeak=8`, whose form was checked when it was read."""
    pairs = (pair.split("=") for pair in text.split(",") if pair.strip())
    return {name.strip(): int(number) for name, number in pairs}

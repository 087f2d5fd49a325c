"""The page docs/settings.md, made from the settings themselves so that it cannot say anything else."""

import typing
from typing import Any, Final

import msgspec

from orchestrator import settings
from orchestrator.embedded.settings import EmbeddedSettings
from orchestrator.guard.settings import GuardSettings
from orchestrator.lib.environment import Secret, meaning_of, variable_of, variables

_HEAD: Final = """# Settings

Every setting is an environment variable. What is not set has the default below; a setting without one is required by
the processes that read it, and `make up` fills it in. This page is made by `make settings`.
"""


def settings_page() -> str:
    groups = [field.type for field in msgspec.structs.fields(settings.Settings)]
    sections = [_section(kind) for kind in [*groups, GuardSettings, EmbeddedSettings] if variables(kind)]
    return "\n".join([_HEAD, *sections])


def _section(kind: type[msgspec.Struct]) -> str:
    title = kind.__name__.removesuffix("Settings")
    rows = [
        f"| `{variable_of(field)}` | {_default(field)} | {meaning_of(field)}{_choices(field)} |"
        for field in variables(kind)
    ]
    return "\n".join([f"## {title}", "", "| variable | default | |", "|---|---|---|", *rows, ""])


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return ""
    value: Any = int(field.default) if isinstance(field.default, bool) else field.default
    if isinstance(value, Secret):
        value = value.reveal()  # nobody's own: a default
    return f"`{value}`" if value != "" else "(empty)"


def _choices(field: msgspec.structs.FieldInfo) -> str:
    kind = typing.get_args(field.type)[0]
    if typing.get_origin(kind) is not typing.Literal:
        return ""
    return " One of " + ", ".join(f"`{choice}`" for choice in typing.get_args(kind)) + "."

"""Checks every text of a request before anything else reads it."""

import re
from typing import Final

from orchestrator.lib.errors.problems import BadRequest, FieldError, TooLarge, bad_field

# Tab, line feed, form feed and carriage return are layout; the other control characters are damage or an attack.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}")  # the shape of BCP 47; models know the names


def check_text(text: str, *, field: str, limit: int) -> None:
    """Raises `BadRequest` or `TooLarge`, which say what to change."""
    if len(text) > limit:
        raise TooLarge(f"'{field}' has {len(text):,} characters; at most {limit:,} are accepted. Send it in parts.")
    if not text.strip():
        raise _bad(field, "is empty. Send some text to read.")
    if found := _SURROGATE.search(text):
        raise _bad(field, f"has half of a surrogate pair at character {found.start()}. Send whole Unicode characters.")
    if found := _CONTROL.search(text):
        raise _bad(
            field, f"has the control character U+{ord(found.group()):04X} at character {found.start()}. Remove it."
        )


def check_language(language: str, *, field: str = "language") -> None:
    """Raises `BadRequest`."""
    if not _LANGUAGE.fullmatch(language):
        raise bad_field(field, "must be a tag of BCP 47, such as en or pt-BR")


def _bad(field: str, message: str) -> BadRequest:
    return BadRequest(f"'{field}' {message}", errors=[FieldError(field, message)])

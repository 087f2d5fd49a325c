"""What a voice is called: its name as it was given, and the slug made of it, by which requests say it."""

import re
import unicodedata
from typing import Final
from uuid import UUID

from orchestrator.lib.errors.problems import bad_field

LONGEST: Final = 64  # characters of a slug
_OTHER: Final = re.compile(r"[^\w]+|_{2,}")
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def tidy(name: str) -> str:
    """White space of any kind and length is one space."""
    return " ".join(name.split())


def slug_of(name: str) -> str:
    """Letters and digits of any script, underlines, and single hyphens for all else. Raises `BadRequest`."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    slug = _OTHER.sub("-", plain)[:LONGEST].strip("-_")
    if not any(map(str.isalnum, slug)):
        raise bad_field(
            "name", "has neither a letter nor a digit. Give the voice a name that can be written in a request"
        )
    if voice_id(slug) is not None:
        raise bad_field("name", "looks like the id of a voice. Choose another")
    return slug


def voice_id(name: str) -> UUID | None:
    """The id, if it is one."""
    return UUID(name) if _ID.fullmatch(name) else None

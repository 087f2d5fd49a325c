"""Names of voices: the slug made of a custom voice's name, ids, and the names that OpenAI's clients send."""

import re
import unicodedata
from typing import Final
from uuid import UUID

from orchestrator.lib.errors.problems import bad_field

MAX_SLUG: Final = 64  # characters of a slug
_SEPARATORS: Final = re.compile(r"[^\w]+|_{2,}")
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

# What OpenAI's clients send unless told otherwise; here these mean the default model and voice.
OPENAI_MODELS: Final = frozenset(
    {"tts-1", "tts-1-hd", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-03-20", "gpt-4o-mini-tts-2025-12-15"}
)
OPENAI_VOICES: Final = frozenset(
    {
        "alloy",
        "ash",
        "ballad",
        "cedar",
        "coral",
        "echo",
        "fable",
        "marin",
        "nova",
        "onyx",
        "sage",
        "shimmer",
        "verse",
    }
)


def normalize_spaces(name: str) -> str:
    """Returns the name with one space for each run of white space, and none at its ends."""
    return " ".join(name.split())


def slug_of(name: str) -> str:
    """Returns letters and digits of any script, underscores, and a hyphen for each run of anything else.

    Raises `BadRequest`.
    """
    plain = unicodedata.normalize("NFKC", name).casefold()
    slug = _SEPARATORS.sub("-", plain)[:MAX_SLUG].strip("-_")
    if not any(map(str.isalnum, slug)):
        raise bad_field(
            "name", "has neither a letter nor a digit. Give the voice a name that can be written in a request"
        )
    if voice_id(slug) is not None:
        raise bad_field("name", "looks like the id of a voice. Choose another")
    return slug


def voice_id(name: str) -> UUID | None:
    """Returns the id that ``name`` spells, or None."""
    return UUID(name) if _ID.fullmatch(name) else None

"""Which language a tag means. A language that is not here is refused: none is ever guessed."""

from typing import Final, Literal, get_args

from g2p.refusal import Refused

Language = Literal["en-US", "en-GB", "es", "fr", "hi", "it", "ja", "pt-BR", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
ENGLISH: Final[tuple[Language, ...]] = ("en-US", "en-GB")

# A tag is looked up whole, and then without its last part, again and again. British spelling and sound are nearer to
# the English of these countries than American.
_TAGS: Final[dict[str, Language]] = {
    **{language.lower(): language for language in LANGUAGES},
    "en": "en-US",
    **dict.fromkeys(("en-au", "en-ie", "en-in", "en-nz", "en-za", "en-uk"), "en-GB"),
    "pt": "pt-BR",
    "cmn": "zh",
}


def language_of(tag: str) -> Language:
    """Return the language of a BCP 47 tag. Raises Refused."""
    parts = tag.lower().replace("_", "-").split("-")
    while parts:
        if language := _TAGS.get("-".join(parts)):
            return language
        parts.pop()
    raise Refused(f"Kokoro does not speak {tag[:40]!r}: it speaks {', '.join(LANGUAGES)}")

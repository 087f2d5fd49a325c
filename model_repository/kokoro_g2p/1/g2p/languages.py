"""The languages that Kokoro speaks: their tags, and the phonemizer of each. A language is never guessed."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, get_args

from g2p import BadRequest
from g2p.phonemizer import Phonemizer

if TYPE_CHECKING:
    from g2p.espeak import EspeakPhonemizer

Language = Literal["en-US", "en-GB", "es", "fr", "hi", "it", "ja", "pt-BR", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
ENGLISH: Final[tuple[Language, ...]] = ("en-US", "en-GB")

# A tag is looked up whole, and then without its last part, again and again. Spelling and sound of these countries are
# nearer to British than to American English.
_TAGS: Final[dict[str, Language]] = {
    **{language.lower(): language for language in LANGUAGES},
    "en": "en-US",
    **dict.fromkeys(("en-au", "en-ie", "en-in", "en-nz", "en-za", "en-uk"), "en-GB"),
    "pt": "pt-BR",
    "cmn": "zh",
}


def language_of(tag: str) -> Language:
    """Returns the language of a BCP 47 tag. Raises BadRequest."""
    parts = tag.lower().replace("_", "-").split("-")
    while parts:
        if language := _TAGS.get("-".join(parts)):
            return language
        parts.pop()
    raise BadRequest(f"Kokoro does not speak {tag[:40]!r}: it speaks {', '.join(LANGUAGES)}")


def _english(british: bool) -> Callable[[], Phonemizer]:  # noqa: FBT001
    def make() -> Phonemizer:
        from g2p.english import EnglishPhonemizer  # noqa: PLC0415 - each language takes time and memory

        return EnglishPhonemizer(british=british)

    return make


def _espeak(name: str) -> Callable[[], Phonemizer]:
    def make() -> Phonemizer:
        from g2p.espeak import EspeakPhonemizer  # noqa: PLC0415

        return EspeakPhonemizer(name)

    return make


def _chinese() -> Phonemizer:
    from g2p.chinese import ChinesePhonemizer  # noqa: PLC0415

    return ChinesePhonemizer()


def _japanese() -> Phonemizer:
    from g2p.japanese import JapanesePhonemizer  # noqa: PLC0415

    return JapanesePhonemizer()


_PHONEMIZERS: Final[dict[Language, Callable[[], Phonemizer]]] = {
    "en-US": _english(british=False),
    "en-GB": _english(british=True),
    "es": _espeak("es"),
    "fr": _espeak("fr-fr"),
    "hi": _espeak("hi"),
    "it": _espeak("it"),
    "ja": _japanese,
    "pt-BR": _espeak("pt-br"),
    "zh": _chinese,
}


@cache
def spelling_phonemizer() -> "EspeakPhonemizer":
    """Returns the phonemizer that spells out words in scripts that a language cannot read."""
    from g2p.espeak import EspeakPhonemizer  # noqa: PLC0415

    return EspeakPhonemizer("en-us")


@cache
def phonemizer_for(language: Language) -> Phonemizer:
    return _PHONEMIZERS[language]()

"""Finds the eSpeak NG voice for a language tag."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """A language of a voice."""

    tag: str  # lower case
    priority: int  # of the voice for this language; the lowest is the best


@dataclass(frozen=True, slots=True)
class VoiceFile:
    """A voice of eSpeak NG."""

    name: str
    identifier: str  # its file, such as gmw/en-US
    languages: tuple[Language, ...]  # the first is its own
    gender: str | None


class UnknownLanguage(Exception):  # noqa: N818 - it names a state of affairs
    """No voice speaks this language."""


class Languages:
    """The voices by their language tags, in any letter case."""

    def __init__(self, voices: Sequence[VoiceFile]) -> None:
        self.by_name: dict[str, VoiceFile] = {}
        self._best: dict[str, tuple[int, VoiceFile]] = {}
        for voice in voices:
            name = voice.languages[0].tag
            if name in self.by_name:  # two voices of one language: the file's name tells them apart
                name = voice.identifier.rpartition("/")[2].lower()
            self.by_name[name] = voice
            for language in voice.languages:
                known = self._best.get(language.tag)
                if known is None or language.priority < known[0]:
                    self._best[language.tag] = (language.priority, voice)

    def find(self, tag: str) -> VoiceFile:
        """Returns the voice for a BCP 47 tag, or for the tag without its last subtags. Raises UnknownLanguage."""
        wanted = tag.lower()
        while wanted:
            if wanted in self.by_name:
                return self.by_name[wanted]
            if wanted in self._best:
                return self._best[wanted][1]
            wanted = wanted.rpartition("-")[0]
        raise UnknownLanguage(tag)


def is_within(tag: str, wider: str) -> bool:
    """Returns whether a tag is the wider one or within it, as en-GB is within en."""
    return f"{tag.lower()}-".startswith(f"{wider.lower()}-")


def canonical(tag: str) -> str:
    """Returns the tag with the usual letter case: en-GB, cmn-Latn-pinyin."""
    parts = tag.lower().split("-")
    for index, part in enumerate(parts[1:], 1):
        if part == "x":  # private use follows
            break
        if len(part) == 2:  # noqa: PLR2004 - a region
            parts[index] = part.upper()
        elif len(part) == 4 and part.isalpha():  # noqa: PLR2004 - a script
            parts[index] = part.title()
    return "-".join(parts)

"""Which of eSpeak NG's voices speaks a language."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """A language that a voice names."""

    tag: str  # lower case
    priority: int  # of the voice for this language; the lowest is the best


@dataclass(frozen=True, slots=True)
class VoiceFile:
    """A voice that eSpeak NG lists."""

    name: str
    identifier: str  # its file, such as gmw/en-US
    languages: tuple[Language, ...]  # the first is its own
    gender: str | None


class UnknownLanguage(Exception):  # noqa: N818 - it names a state of affairs
    """No voice speaks this language."""


class Languages:
    """The voices, by the language tags that they name, in any case of letters."""

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
        """Return the voice for a tag of BCP 47, or else for the same without its last parts. Raises UnknownLanguage."""
        wanted = tag.lower()
        while wanted:
            if wanted in self.by_name:
                return self.by_name[wanted]
            if wanted in self._best:
                return self._best[wanted][1]
            wanted = wanted.rpartition("-")[0]
        raise UnknownLanguage(tag)


def is_within(tag: str, wider: str) -> bool:
    """Say whether a tag is the wider one or a part of it, as en-GB is of en."""
    return f"{tag.lower()}-".startswith(f"{wider.lower()}-")


def canonical(tag: str) -> str:
    """Return the tag with the usual letter case: en-GB, cmn-Latn-pinyin."""
    parts = tag.lower().split("-")
    for index, part in enumerate(parts[1:], 1):
        if part == "x":  # private use follows
            break
        if len(part) == 2:  # noqa: PLR2004 - a region
            parts[index] = part.upper()
        elif len(part) == 4 and part.isalpha():  # noqa: PLR2004 - a script
            parts[index] = part.title()
    return "-".join(parts)

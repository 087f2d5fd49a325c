"""The names of cached audio: in addresses of the API, and as paths in the store."""

import re
from typing import Final, Self, cast, get_args

import msgspec

from orchestrator.audio.formats import AUDIO_FORMATS, OPUS_RATE, AudioFormat, Sound
from orchestrator.lib.errors.problems import NotFound
from orchestrator.speech.schemas import SampleRate

ORIGINAL: Final[AudioFormat] = "flac"  # suffix of a segment's own file, without which it is not cached
FOLDER: Final = "segments"
_PATH: Final = re.compile(rf"{FOLDER}/[0-9a-f]{{2}}/[0-9a-f]{{2}}/([0-9a-f]{{64}})\.([0-9a-z.]+)")
_NAME: Final = re.compile(rf"([0-9a-f]{{64}})(?:\.([1-9][0-9]{{3,4}}))?\.({'|'.join(AUDIO_FORMATS)})")


class AudioName(msgspec.Struct, frozen=True):
    """A segment's key and how it is encoded."""

    key: str
    sound: Sound

    @classmethod
    def parse(cls, name: str) -> Self:
        """Raises `NotFound`."""
        found = _NAME.fullmatch(name)
        if found is None or (found[2] and not _has_rate(found[3], int(found[2]))):
            raise NotFound("Cached audio is named by 64 hexadecimal digits and a format, such as .opus.")
        audio_format = cast("AudioFormat", found[3])  # the pattern has no other
        return cls(found[1], Sound(audio_format, int(found[2]) if found[2] else None))

    @property
    def path(self) -> str:
        return f"/api/v1/audio/{self.key}.{self.sound.suffix}"

    @property
    def etag(self) -> str:
        """Strong: the key says what is heard, the suffix how it is encoded."""
        return f'"{self.key[:32]}.{self.sound.suffix}"'


def _has_rate(audio_format: str, rate: int) -> bool:
    return rate in get_args(SampleRate) and (audio_format != "opus" or rate == OPUS_RATE)


def path_of(key: str, suffix: str) -> str:
    """Returns a path in two levels of folders, so that none holds more than a small part of a million files."""
    return f"{FOLDER}/{key[:2]}/{key[2:4]}/{key}.{suffix}"


def parse_path(path: str) -> tuple[str, str] | None:
    """Returns a segment's key and a suffix; None for what is no object of a segment."""
    found = _PATH.fullmatch(path)
    return None if found is None else (found[1], found[2])

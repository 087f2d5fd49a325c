"""The name of kept audio in addresses: a segment's key and how it is encoded."""

import re
from typing import Final, Self, cast, get_args

import msgspec

from orchestrator.audio.formats import AUDIO_FORMATS, OPUS_RATE, AudioFormat, Sound
from orchestrator.lib.errors.problems import NotFound
from orchestrator.speech.schemas import SampleRate

_NAME: Final = re.compile(rf"([0-9a-f]{{64}})(?:\.([1-9][0-9]{{3,4}}))?\.({'|'.join(AUDIO_FORMATS)})")


class AudioName(msgspec.Struct, frozen=True):
    key: str
    sound: Sound

    @classmethod
    def parse(cls, name: str) -> Self:
        """Raises `NotFound`."""
        found = _NAME.fullmatch(name)
        if found is None or (found[2] and not _has_rate(found[3], int(found[2]))):
            raise NotFound("Kept audio is named by 64 hexadecimal digits and a format, such as .opus.")
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

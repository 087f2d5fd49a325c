"""The names of cached audio: in addresses of the API, and as paths in the store."""

import re
from typing import Final, Self, cast, get_args

import msgspec

import lectern_contract as contract
from orchestrator.audio.formats import AUDIO_FORMATS, OPUS_RATE, AudioFormat, Sound
from orchestrator.lib.errors.problems import NotFound
from orchestrator.speech.rendition import AS_MADE, LONGEST_PAUSE, Rendition
from orchestrator.speech.schemas import SampleRate

ORIGINAL: Final[AudioFormat] = "flac"  # suffix of a segment's own file, without which it is not cached
FOLDER: Final = "segments"
_PATH: Final = re.compile(rf"{FOLDER}/[0-9a-f]{{2}}/[0-9a-f]{{2}}/([0-9a-f]{{64}})\.([0-9a-z.]+)")
_DECIMAL: Final = r"([0-9]{1,2}(?:\.[0-9]{1,3})?)"
_NAME: Final = re.compile(
    rf"([0-9a-f]{{64}})((?:\.{_DECIMAL}x)?(?:\.{_DECIMAL}s)?)(?:\.([1-9][0-9]{{3,4}}))?\.({'|'.join(AUDIO_FORMATS)})"
)


class AudioName(msgspec.Struct, frozen=True):
    """A segment's key, how it is heard and how it is encoded, such as ``KEY.1.5x.0.8s.24000.wav``.

    What is left out is as the model made it; each number has one spelling.
    """

    key: str
    sound: Sound
    rendition: Rendition = AS_MADE

    @classmethod
    def parse(cls, name: str) -> Self:
        """Raises `NotFound`."""
        found = _NAME.fullmatch(name)
        if found is not None:
            key, rendered, tempo, pause, rate, audio_format = found.groups()
            sound = Sound(cast("AudioFormat", audio_format), int(rate) if rate else None)  # the pattern has no other
            rendition = Rendition(float(tempo or 1), float(pause or 0))
            if _has_rate(sound) and _is_heard(rendition) and f".{rendition.prefix}" == f"{rendered}.":
                return cls(key, sound, rendition)
        raise NotFound("Cached audio is named by 64 hexadecimal digits and a format, such as .opus or .1.5x.opus.")

    @property
    def path(self) -> str:
        return f"/api/v1/audio/{self.key}.{self.suffix}"

    @property
    def suffix(self) -> str:
        """What its object in the store has behind the key."""
        return self.rendition.prefix + self.sound.suffix

    @property
    def etag(self) -> str:
        """Strong: the key says what is spoken, the suffix how it is heard and encoded."""
        return f'"{self.key[:32]}.{self.suffix}"'


def _has_rate(sound: Sound) -> bool:
    rate = sound.sample_rate
    return rate is None or (rate in get_args(SampleRate) and (sound.audio_format != "opus" or rate == OPUS_RATE))


def _is_heard(rendition: Rendition) -> bool:
    return contract.MIN_SPEED <= rendition.tempo <= contract.MAX_SPEED and rendition.pause <= LONGEST_PAUSE


def path_of(key: str, suffix: str) -> str:
    """Returns a path in two levels of folders, so that none holds more than a small part of a million files."""
    return f"{FOLDER}/{key[:2]}/{key[2:4]}/{key}.{suffix}"


def parse_path(path: str) -> tuple[str, str] | None:
    """Returns a segment's key and a suffix; None for what is no object of a segment."""
    found = _PATH.fullmatch(path)
    return None if found is None else (found[1], found[2])

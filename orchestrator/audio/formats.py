"""The audio formats of a response: content types, file suffixes and sample rates."""

from typing import Final, Literal, get_args

import msgspec

AudioFormat = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
AUDIO_FORMATS: Final[tuple[AudioFormat, ...]] = get_args(AudioFormat)

MPEG_RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)  # MPEG-1, 2 and 2.5
OPUS_RATE: Final = 48_000  # the clock of every Ogg Opus file (RFC 7845)
PCM_RATE: Final = 24_000  # what OpenAI's `pcm` promises: 24 kHz int16 little-endian mono, no header
AAC_RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000)
MIN_RATE: Final = 8_000
MAX_RATE: Final = 192_000


class Container(msgspec.Struct, frozen=True):
    content_type: str
    suffix: str


CONTAINERS: Final[dict[AudioFormat, Container]] = {
    "wav": Container("audio/wav", ".wav"),
    "flac": Container("audio/flac", ".flac"),
    "mp3": Container("audio/mpeg", ".mp3"),
    "opus": Container("audio/ogg", ".opus"),
    "aac": Container("audio/aac", ".aac"),
    "pcm": Container("audio/pcm", ".pcm"),
}


class Sound(msgspec.Struct, frozen=True):
    """The format and the rate in Hz of a response; without a rate, the one that suits format and voice."""

    audio_format: AudioFormat
    sample_rate: int | None = None

    @property
    def content_type(self) -> str:
        return CONTAINERS[self.audio_format].content_type

    @property
    def suffix(self) -> str:
        """The suffix of the file in the cache that holds this encoding."""
        return self.audio_format if self.sample_rate is None else f"{self.sample_rate}.{self.audio_format}"


def encoded_rate(audio_format: AudioFormat, voice_rate: int, wanted: int | None = None) -> int:
    """Returns the sample rate, in Hz, at which audio of a voice of ``voice_rate`` is encoded in this format.

    WAV and FLAC have the wanted rate, else the voice's. MP3 and AAC have the next rate up that MPEG defines.
    Raw PCM is at 24 kHz if nothing else is wanted. Opus is always at 48 kHz.
    """
    rate = wanted or voice_rate
    if not MIN_RATE <= rate <= MAX_RATE:
        raise ValueError(f"A sample rate of {rate} Hz is outside {MIN_RATE} to {MAX_RATE} Hz.")
    match audio_format:
        case "wav" | "flac":
            return rate
        case "mp3":
            return next((known for known in MPEG_RATES if known >= rate), MPEG_RATES[-1])
        case "aac":
            return next((known for known in AAC_RATES if known >= rate), AAC_RATES[-1])
        case "opus":
            return OPUS_RATE
        case "pcm":
            return wanted or PCM_RATE

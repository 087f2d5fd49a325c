"""What an audio response may be encoded as, in one table."""

from typing import Final, Literal, get_args

import msgspec

AudioFormat = Literal["wav", "flac", "mp3", "opus", "pcm"]
AUDIO_FORMATS: Final[tuple[AudioFormat, ...]] = get_args(AudioFormat)

MPEG_RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)  # MPEG-1, 2 and 2.5
OPUS_RATE: Final = 48_000  # the clock of every Ogg Opus file (RFC 7845)
PCM_RATE: Final = 24_000  # what OpenAI's `pcm` promises: 24 kHz int16 little-endian mono, no header
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
    "pcm": Container("audio/pcm", ".pcm"),
}


def encoded_rate(audio_format: AudioFormat, voice_rate: int) -> int:
    """The sample rate, in Hz, at which a voice of ``voice_rate`` leaves in this format.

    WAV and FLAC keep the voice's rate. So does MP3, or it takes the next rate that MPEG has.
    """
    if not MIN_RATE <= voice_rate <= MAX_RATE:
        raise ValueError(f"A sample rate of {voice_rate} Hz is outside {MIN_RATE} to {MAX_RATE} Hz.")
    match audio_format:
        case "wav" | "flac":
            return voice_rate
        case "mp3":
            return next((rate for rate in MPEG_RATES if rate >= voice_rate), MPEG_RATES[-1])
        case "opus":
            return OPUS_RATE
        case "pcm":
            return PCM_RATE

"""Opens audio files that nobody vouches for, and decodes the mono audio of cached and encoded ones."""

import io
from typing import Any, Final

import av
import numpy as np
from av.container import InputContainer

from orchestrator.audio.pcm import EMPTY, Samples

# Without these lists FFmpeg also tries demuxers that read other files and addresses, such as playlists.
_FORMATS: Final = "wav,w64,aiff,caf,flac,mp3,ogg,aac,mov,matroska"
_PROTOCOLS: Final = "data"
# Frames of these codecs are short. ALAC is missing: a few bytes of it can declare a frame of millions of samples.
_CODECS: Final = frozenset({"flac", "mp3", "mp3float", "vorbis", "opus", "libopus", "aac"})
_PCM: Final = frozenset(name for name in av.codecs_available if name.startswith("pcm_"))
CODECS: Final = _CODECS | _PCM
_MOST_STREAMS: Final = 64  # each costs memory; FFmpeg ignores those beyond
_OPTIONS: Final = {
    "format_whitelist": _FORMATS,
    "protocol_whitelist": _PROTOCOLS,
    # FFmpeg decodes the beginning of every stream as soon as a file is opened: also a cover picture, which may be a
    # thousand times as large as its file.
    "codec_whitelist": ",".join(sorted(CODECS)),
    "max_streams": str(_MOST_STREAMS),
}
# Tags that are not UTF-8 do not matter. PyAV 19 reads them as they are and has no such argument.
_TAGS: Final[dict[str, Any]] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}  # noqa: PLR2004


class UnreadableAudioError(ValueError):
    """These bytes hold no mono audio that can be decoded."""


def open_audio(data: bytes) -> InputContainer:
    """Opens a file, trusting nothing in it. Its streams may be of any kind; those of `CODECS` can be decoded.

    Raises av.FFmpegError or ValueError.
    """
    source: InputContainer = av.open(io.BytesIO(data), "r", options=_OPTIONS, **_TAGS)
    return source


def decode(data: bytes) -> tuple[Samples, int]:
    """Returns all samples and their rate in Hz. Raises UnreadableAudioError."""
    try:
        with open_audio(data) as source:
            if not source.streams.audio:
                raise UnreadableAudioError("The file has no audio in it.")
            stream = source.streams.audio[0]
            if stream.channels != 1:
                raise UnreadableAudioError(f"The audio has {stream.channels} channels, but only mono is read.")
            frames = [_int16(frame) for frame in source.decode(stream)]
            return np.concatenate([EMPTY, *frames]), stream.rate
    except av.FFmpegError as error:
        raise UnreadableAudioError(f"The file cannot be decoded: {error.strerror}.") from error


def _int16(frame: av.AudioFrame) -> Samples:
    samples = frame.to_ndarray().reshape(-1)
    if samples.dtype == np.int16:
        return samples.astype(np.int16, copy=False)
    if samples.dtype == np.float32:
        return np.clip(np.rint(samples * 32_768), -32_768, 32_767).astype(np.int16)
    raise UnreadableAudioError(f"Samples in the format {frame.format.name} are not supported.")

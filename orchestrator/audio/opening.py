"""Opens a file for its audio, and nothing else that may be in it. No file is trusted."""

import io
from typing import Any, Final

import av
from av.container import InputContainer

# Without these lists FFmpeg also tries what reads other files and addresses, such as playlists.
_FORMATS: Final = "wav,w64,aiff,caf,flac,mp3,ogg,aac,mov,matroska"
_PROTOCOLS: Final = "data"
# Of these a frame is short. In ALAC, which is missing, a few bytes may say that it has millions of samples.
_CODECS: Final = frozenset({"flac", "mp3", "mp3float", "vorbis", "opus", "libopus", "aac"})
_PCM: Final = frozenset(name for name in av.codecs_available if name.startswith("pcm_"))
CODECS: Final = _CODECS | _PCM
_MOST_STREAMS: Final = 64  # each costs memory; of a file with more, the others do not count
_OPTIONS: Final = {
    "format_whitelist": _FORMATS,
    "protocol_whitelist": _PROTOCOLS,
    # FFmpeg decodes the beginning of every stream as soon as a file is opened: a cover picture too, which may be a
    # thousand times as large as its file.
    "codec_whitelist": ",".join(sorted(CODECS)),
    "max_streams": str(_MOST_STREAMS),
}
# Tags that are no UTF-8 do not matter. From 19 on PyAV reads them as they are, and has no such argument.
_TAGS: Final[dict[str, Any]] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}  # noqa: PLR2004


def opened(data: bytes) -> InputContainer:
    """Its streams may be of any kind; those of `CODECS` can be decoded. Raises av.FFmpegError or ValueError."""
    source: InputContainer = av.open(io.BytesIO(data), "r", options=_OPTIONS, **_TAGS)
    return source

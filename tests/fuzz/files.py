"""Files that are recordings, nearly are, or are none at all."""

from typing import Final

import numpy as np
from hypothesis import strategies as st

from tests.recordings import file, silence, tone

_GOOD: Final = (
    file(tone()),
    file(tone(rate=48_000), rate=48_000, container="ogg", codec="libopus"),
    file(np.stack([tone(rate=44_100), tone(400, rate=44_100)]), rate=44_100, container="mp3", codec="libmp3lame"),
    file(tone(), container="flac", codec="flac"),
    file(tone(rate=44_100), rate=44_100, container="mp4", codec="aac"),
)
_FAULTY: Final = (
    b"",
    file(silence(5)),
    file(tone(seconds=1, rate=8_000), rate=8_000),
    file(tone(), tone(400), container="matroska"),
    file(tone(), container="matroska", video="mpeg4"),
    b"#EXTM3U\n#EXTINF:5,\nfile:///etc/hostname\n",
)


def files() -> st.SearchStrategy[bytes]:
    return st.one_of(
        st.sampled_from(_GOOD),
        st.sampled_from(_FAULTY),
        st.tuples(st.sampled_from(_GOOD), st.integers(0, 5_000)).map(lambda cut: cut[0][: -cut[1] or None]),
        st.tuples(st.sampled_from(_GOOD), st.integers(0, 200), st.binary(min_size=1, max_size=8)).map(_overwritten),
        st.binary(max_size=200),
    )


def _overwritten(given: tuple[bytes, int, bytes]) -> bytes:
    """A few bytes of the header are others."""
    data, start, other = given
    return data[:start] + other + data[start + len(other) :]

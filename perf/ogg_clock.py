"""How many seconds of sound an Ogg Opus stream has brought so far, from the headers of its pages alone."""

from typing import Final

RATE: Final = 48_000  # of the positions in the pages, whatever the rate of the sound
_HEAD: Final = 27  # bytes of a page before its table of segments
_POSITION: Final = slice(6, 14)


class OggClock:
    def __init__(self) -> None:
        self._rest = b""
        self.seconds = 0.0
        """Zero until the first page of sound is complete: the first two hold only headers."""

    def feed(self, data: bytes) -> None:
        self._rest += data
        while len(self._rest) >= _HEAD:
            table = self._rest[_HEAD : _HEAD + self._rest[26]]
            size = _HEAD + self._rest[26] + sum(table)
            if len(table) < self._rest[26] or len(self._rest) < size:
                return
            if not self._rest.startswith(b"OggS"):
                raise ValueError("this is no Ogg stream")
            position = int.from_bytes(self._rest[_POSITION], "little", signed=True)
            self.seconds = max(self.seconds, position / RATE)
            self._rest = self._rest[size:]

"""Reads a stream of server-sent events, without any transport."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from lectern.errors import ConnectionLostError, SpeechFailedError
from lectern.rest.responses import parsed
from lectern.types import AudioDelta, Done, SpeechEvent, Words

CONTENT_TYPE: Final = "text/event-stream"

_KINDS: Final[dict[str, type[SpeechEvent]]] = {
    "speech.audio.delta": AudioDelta,
    "speech.audio.words": Words,
    "speech.audio.done": Done,
}
_LINE_END: Final = re.compile(rb"\r\n|\n|\r(?!\Z)")  # a return at the very end may be half of an end


def whole_events(received: bytes) -> tuple[list[bytes], bytes]:
    """Returns the data of each complete event, without those that have none, and the rest."""
    *events, rest = received.split(b"\n\n")
    lines = [line for event in events for line in event.splitlines()]
    return [line[5:].strip() for line in lines if line.startswith(b"data:")], rest


class _Head(msgspec.Struct):
    type: str


class _Reason(msgspec.Struct):
    message: str


class _Failure(msgspec.Struct):
    error: _Reason


class EventReader:
    """Reads events from chunks of bytes, and knows whether the stream came to its end."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._line: list[bytes] = []  # what has come of it
        self._data: list[bytes] = []
        self._done = False

    def feed(self, chunk: bytes) -> Iterator[SpeechEvent]:
        """Yields the events that the chunk completes, but those of unknown types. Raises SpeechFailedError."""
        self._line.append(chunk)
        if b"\n" not in chunk and b"\r" not in chunk:
            return
        *lines, rest = _LINE_END.split(b"".join(self._line))
        self._line = [rest]
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:
                data, self._data = b"\n".join(self._data), []
                if (event := self._event(data)) is not None:
                    self._done = self._done or isinstance(event, Done)
                    yield event

    def end(self) -> None:
        """Raises ConnectionLostError if the stream stopped before the server had said that it was done."""
        if not self._done:
            raise ConnectionLostError(f"{self._url} stopped before the speech was complete")

    def _event(self, data: bytes) -> SpeechEvent | None:
        kind = parsed(data, _Head, self._url).type
        if kind == "error":
            raise SpeechFailedError(parsed(data, _Failure, self._url).error.message)
        return parsed(data, _KINDS[kind], self._url) if kind in _KINDS else None

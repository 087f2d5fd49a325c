"""The messages between the backend and its engine process: commands to the engine, events from it.

On the socket a message is its length in bytes, as a big-endian number of four bytes, and MessagePack of that length.
Both sides import this module, each in its own environment, so it needs nothing but msgspec. Times are in seconds.
"""

import struct
from typing import Any, Final, Literal

import msgspec

RATE: Final = 24_000  # Hz, of all audio in messages; samples are int16, little-endian, mono
FRAME: Final = 960  # samples of one audio frame of the codec: 25 frames a second
MAX_MESSAGE: Final = 16 << 20  # bytes

_LENGTH: Final = struct.Struct(">I")
HEADER: Final = _LENGTH.size  # bytes


class Start(msgspec.Struct, frozen=True, tag=True):
    """The first command: load the driver with the arguments in model.json."""

    arguments: dict[str, Any]


class Recording(msgspec.Struct, frozen=True):
    """A recording and what is said in it. `text` may be empty where the model allows it."""

    samples: bytes
    text: str


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    temperature: float
    top_p: float
    top_k: int
    seed: int


class Speak(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Speak a text. `previous` is the speech before it, to continue; most requests have only a reference."""

    id: int
    text: str
    reference: Recording
    previous: Recording | None = None
    scene: str = ""
    sampling: Sampling
    max_frames: int


class Abort(msgspec.Struct, frozen=True, tag=True):
    """Cancel a request. It still ends with `Failed` or, if it has just ended, with `End`."""

    id: int


class CheckHealth(msgspec.Struct, frozen=True, tag=True):
    """Answered by `Health`."""


class Close(msgspec.Struct, frozen=True, tag=True):
    """End the process; no event follows."""


class Phase(msgspec.Struct, frozen=True, tag=True):
    """A phase of the start has ended."""

    name: str
    seconds: float


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The start has ended. `streams`: audio comes before all of it is made. `seeds`: a seed fixes the audio."""

    family: Literal["v2", "v3"]
    version: str
    streams: bool
    seeds: bool


class CannotStart(msgspec.Struct, frozen=True, tag=True):
    """The start has failed. The process ends after this event."""

    message: str


class Audio(msgspec.Struct, frozen=True, tag=True):
    """The next samples of a request. `number` counts the messages of each request from 0."""

    id: int
    number: int
    samples: bytes


class End(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """All audio of a request was sent. `complete`: the model came to the end of the text before `max_frames`."""

    id: int
    messages: int
    complete: bool


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A request has ended without all of its audio."""

    id: int
    kind: Literal["bad_request", "aborted", "failed"]
    message: str


class Health(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The answer to `CheckHealth`. `trouble`: why the engine cannot go on; empty if it can."""

    trouble: str = ""
    running: int = 0
    aborted: int = 0
    """Requests aborted since the start."""


Command = Start | Speak | Abort | CheckHealth | Close
Event = Phase | Ready | CannotStart | Audio | End | Failed | Health

_encoder = msgspec.msgpack.Encoder()
_commands: Final[msgspec.msgpack.Decoder[Command]] = msgspec.msgpack.Decoder(Command)
_events: Final[msgspec.msgpack.Decoder[Event]] = msgspec.msgpack.Decoder(Event)


class ProtocolError(Exception):
    """What was received is not a message of this module."""


def encode(message: Command | Event) -> bytes:
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


def body_length(header: bytes) -> int:
    """Returns the length of the message that follows these `HEADER` bytes. Raises ProtocolError."""
    length = int(_LENGTH.unpack(header)[0])
    if length > MAX_MESSAGE:
        raise ProtocolError(f"a message of {length} bytes")
    return length


def decode_command(body: bytes) -> Command:
    """Raises ProtocolError."""
    try:
        return _commands.decode(body)
    except msgspec.DecodeError as error:
        raise ProtocolError(str(error)) from error


def decode_event(body: bytes) -> Event:
    """Raises ProtocolError."""
    try:
        return _events.decode(body)
    except msgspec.DecodeError as error:
        raise ProtocolError(str(error)) from error

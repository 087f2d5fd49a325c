"""What the backend and its engine process say to each other over a socket.

Each message is four bytes, its length as a big-endian number, and so many bytes of MessagePack. Both sides import this
file, each in its own environment: it needs nothing but msgspec. Times are in seconds.
"""

import struct
from typing import Any, Final, Literal

import msgspec

RATE: Final = 24_000  # Hz, of all audio on the wire; samples are int16, little-endian, mono
FRAME: Final = 960  # samples of one audio frame of the codec: 25 frames a second
MAX_MESSAGE: Final = 16 << 20  # bytes

_LENGTH: Final = struct.Struct(">I")
HEAD: Final = _LENGTH.size  # bytes


class Start(msgspec.Struct, frozen=True, tag=True):
    """The first order: load. ``arguments``: those of model.json."""

    arguments: dict[str, Any]


class Clip(msgspec.Struct, frozen=True):
    """Speech with what is said in it; ``text`` may be empty where the model allows it."""

    samples: bytes
    text: str


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    temperature: float
    top_p: float
    top_k: int
    seed: int


class Speak(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """``previous``: the block before, for a prompt that goes on from it; most prompts have the reference only."""

    id: int
    text: str
    reference: Clip
    previous: Clip | None = None
    scene: str = ""
    sampling: Sampling
    max_frames: int


class Abort(msgspec.Struct, frozen=True, tag=True):
    """Speak this no further. It is still answered, by `Failed` or, if it was just over, by `End`."""

    id: int


class Ask(msgspec.Struct, frozen=True, tag=True):
    """Answered by `Health`."""


class Close(msgspec.Struct, frozen=True, tag=True):
    """End; nothing more is answered."""


class Phase(msgspec.Struct, frozen=True, tag=True):
    """A phase of the start is over."""

    name: str
    seconds: float


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The start is over. ``streams``: it gives audio before the whole is made. ``seeds``: same seed, same audio."""

    family: Literal["v2", "v3"]
    version: str
    streams: bool
    seeds: bool


class CannotStart(msgspec.Struct, frozen=True, tag=True):
    """The process ends after this."""

    message: str


class Audio(msgspec.Struct, frozen=True, tag=True):
    """The next samples of a request. ``number`` counts from 0, for each request."""

    id: int
    number: int
    samples: bytes


class End(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """All audio of a request was sent. ``complete``: the model came to its end, as against ``max_frames``."""

    id: int
    messages: int
    complete: bool


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    id: int
    kind: Literal["bad_request", "aborted", "failed"]
    message: str


class Health(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """``trouble``: why the engine cannot go on; empty if it can."""

    trouble: str = ""
    running: int = 0
    aborted: int = 0
    """Requests aborted since the start."""


Order = Start | Speak | Abort | Ask | Close
Report = Phase | Ready | CannotStart | Audio | End | Failed | Health

_encoder = msgspec.msgpack.Encoder()
_orders: Final[msgspec.msgpack.Decoder[Order]] = msgspec.msgpack.Decoder(Order)
_reports: Final[msgspec.msgpack.Decoder[Report]] = msgspec.msgpack.Decoder(Report)


class Broken(Exception):  # noqa: N818 - it names a state of affairs
    """What comes is not what this file describes."""


def packed(message: Order | Report) -> bytes:
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


def length_of(head: bytes) -> int:
    """Of the message that follows these `HEAD` bytes. Raises `Broken`."""
    length = int(_LENGTH.unpack(head)[0])
    if length > MAX_MESSAGE:
        raise Broken(f"a message of {length} bytes")
    return length


def order(body: bytes) -> Order:
    """Raises `Broken`."""
    try:
        return _orders.decode(body)
    except msgspec.DecodeError as error:
        raise Broken(str(error)) from error


def report(body: bytes) -> Report:
    """Raises `Broken`."""
    try:
        return _reports.decode(body)
    except msgspec.DecodeError as error:
        raise Broken(str(error)) from error

"""The messages between the voice and its engine processes, over a socket."""

from multiprocessing.connection import Connection

import msgspec


class Utterance(msgspec.Struct, frozen=True, tag=True):
    """Speak this."""

    text: str
    voice: str  # eSpeak's identifier of a voice, with "+variant" if there is one
    speed: float  # 1 = eSpeak's own
    pitch: int  # 0 to 100
    range: int  # 0 to 100: how far the pitch moves


class Stop(msgspec.Struct, frozen=True, tag=True):
    """Speak no further; an `Ended` still follows."""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The engine has started."""

    sample_rate: int  # Hz


class Event(msgspec.Struct, frozen=True, array_like=True):
    """A place in the text that the audio has reached: the start of a word, or the end of a clause."""

    is_word: bool
    character: int  # offset in the text
    sample: int  # from the start of the utterance


class Audio(msgspec.Struct, frozen=True, tag=True):
    """The next samples, little-endian int16, and the events in them, in order."""

    pcm: bytes
    events: list[Event]


class Ended(msgspec.Struct, frozen=True, tag=True):
    """The utterance is spoken, or stopped."""


class Refused(msgspec.Struct, frozen=True, tag=True):
    """eSpeak does not take this utterance."""

    reason: str


FromVoice = Utterance | Stop
FromEngine = Ready | Audio | Ended | Refused

_from_voice = msgspec.msgpack.Decoder[FromVoice](FromVoice)
_from_engine = msgspec.msgpack.Decoder[FromEngine](FromEngine)


def send(connection: Connection, message: FromVoice | FromEngine) -> None:
    """Raises OSError when the other side has gone."""
    connection.send_bytes(msgspec.msgpack.encode(message))


def receive_from_voice(connection: Connection) -> FromVoice:
    """Raises EOFError or OSError when the voice has gone."""
    message: FromVoice = _from_voice.decode(connection.recv_bytes())
    return message


def receive_from_engine(connection: Connection) -> FromEngine:
    """Raises EOFError or OSError when the engine has gone."""
    message: FromEngine = _from_engine.decode(connection.recv_bytes())
    return message

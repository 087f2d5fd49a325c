"""One eSpeak NG engine in a process of its own, because the library holds one global state and may crash.

Run as `python -m espeak_voice.engine FD PARENT`: it speaks what it is told over the socket FD, and ends with it.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Final

from espeak_voice.breaks import SpeakableText, break_up
from espeak_voice.library import (
    EVENT_CLAUSE_END,
    EVENT_WORD,
    PARAMETER_PITCH,
    PARAMETER_RANGE,
    PARAMETER_RATE,
    Library,
    RawEvent,
)
from espeak_voice.messages import Audio, Ended, Event, Ready, Refused, Utterance, receive_from_voice, send
from espeak_voice.speed import NORMAL_RATE, rate_for
from lectern_triton.voice_backend.stretch import Stretcher

FIRST_PIECE: Final = 0.05  # seconds of audio: little, so that a listener hears it at once
LARGEST_PIECE: Final = 2.0
GROWTH: Final = 2.0  # each piece may be so much longer than the one before: few messages, and still ahead of the ear

SHORT: Final = 100  # characters: so long a text is spoken twice unheard to learn how long it takes
SAMPLE: Final = 90  # characters of a longer one that show it well enough
TOLERANCE: Final = 0.03  # a difference in speed that nobody hears

PR_SET_PDEATHSIG: Final = 1


def end_with_parent(parent: int) -> None:
    """Have the kernel end this process when the one that made it ends, however that happens."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)  # it ended before the kernel knew


class Engine:
    """Speaks one utterance after another."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._library = Library()
        self._script = SpeakableText("", [0])
        self._stretch = 1.0
        self._stretcher: Stretcher | None = None
        self._pcm = bytearray()
        self._events: list[Event] = []
        self._sent = 0  # samples
        self._piece = 0  # samples that make the next piece worth sending
        self._stopped = False

    def serve(self) -> None:
        """Speak until the other side closes the socket."""
        send(self._connection, Ready(self._library.sample_rate))
        while True:
            try:
                message = receive_from_voice(self._connection)
            except EOFError:
                return
            if isinstance(message, Utterance):  # a Stop that comes too late asks for nothing
                self._speak(message)

    def _speak(self, utterance: Utterance) -> None:
        if not self._library.set_voice(utterance.voice):
            send(self._connection, Refused(f"eSpeak NG has no voice {utterance.voice!r}"))
            return
        self._library.set_parameter(PARAMETER_PITCH, utterance.pitch)
        self._library.set_parameter(PARAMETER_RANGE, utterance.range)
        self._script = break_up(utterance.text)
        self._pcm.clear()
        self._events.clear()
        self._sent = 0
        self._piece = int(FIRST_PIECE * self._library.sample_rate)
        self._stopped = False
        self._set_speed(utterance.speed)
        self._library.speak(self._script.text, self._heard)
        if not self._stopped:
            if self._stretcher is not None:
                self._pcm += self._stretcher.flush()
            self._send(last=True)
        send(self._connection, Ended())

    def _set_speed(self, speed: float) -> None:
        """Set the rate, and the stretching that makes up for what the rate alone does not reach.

        How much that is depends on language, voice and text, so the begin of the text is spoken unheard at both rates.
        """
        self._stretch = 1.0
        self._stretcher = None
        if speed != 1:
            wanted = self._sample_length(NORMAL_RATE) / speed
            got = self._sample_length(rate_for(speed))
            if got and abs(wanted / got - 1) > TOLERANCE:
                self._stretch = wanted / got
                self._stretcher = Stretcher(self._stretch, self._library.sample_rate)
        self._library.set_parameter(PARAMETER_RATE, rate_for(speed))

    def _sample_length(self, rate: int) -> int:
        """Return how many samples the begin of the text takes at a rate."""
        samples = last_word = 0

        def count(pcm: bytes, events: Iterator[RawEvent]) -> bool:
            nonlocal samples, last_word
            samples += len(pcm) // 2
            last_word = max([last_word, *(event.sample for event in events if event.type == EVENT_WORD)])
            return not self._connection.poll()

        self._library.set_parameter(PARAMETER_RATE, rate)
        text = self._script.text
        if len(text) <= SHORT:
            self._library.speak(text, count)
            return samples
        self._library.speak(text[:SAMPLE], count)
        return last_word or samples  # the pause at the end of a part is not the text's

    def _heard(self, pcm: bytes, events: Iterator[RawEvent]) -> bool:
        for event in events:
            if event.type in (EVENT_WORD, EVENT_CLAUSE_END):
                is_word = event.type == EVENT_WORD
                # A word's position counts from 1; a clause's is the number of characters up to its end.
                character = self._script.origin(max(0, event.text_position - is_word))
                self._events.append(Event(is_word, character, round(event.sample * self._stretch)))
        self._pcm += pcm if self._stretcher is None else self._stretcher.feed(pcm)
        if len(self._pcm) // 2 >= self._piece:
            self._piece = min(int(self._piece * GROWTH), int(LARGEST_PIECE * self._library.sample_rate))
            self._send()
        if self._connection.poll():  # only a Stop, or the end of the socket, can come while speaking
            self._stopped = True
        return not self._stopped

    def _send(self, *, last: bool = False) -> None:
        """Send what is there, with the events that it reaches."""
        self._sent += len(self._pcm) // 2
        due = [event for event in self._events if last or event.sample <= self._sent]
        send(self._connection, Audio(bytes(self._pcm), due))
        self._events = self._events[len(due) :]
        self._pcm.clear()


if __name__ == "__main__":
    end_with_parent(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Engine(Connection(int(sys.argv[1]))).serve()

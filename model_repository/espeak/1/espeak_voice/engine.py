"""The process of one eSpeak NG engine: libespeak-ng has one global state and may crash.

Run as `python -m espeak_voice.engine FD PARENT`: it speaks the utterances from the socket FD, and ends with it.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Final

from espeak_voice.engine_messages import Audio, Ended, Event, Ready, Refused, Utterance, receive_from_voice, send
from espeak_voice.libespeak import (
    EVENT_CLAUSE_END,
    EVENT_WORD,
    PARAMETER_PITCH,
    PARAMETER_RANGE,
    PARAMETER_RATE,
    Library,
    RawEvent,
)
from espeak_voice.speakable_text import SpeakableText, make_speakable
from espeak_voice.speaking_rate import NORMAL_RATE, rate_for

FIRST_CHUNK: Final = 0.05  # seconds: little, so that the first audio comes at once
LARGEST_CHUNK: Final = 2.0
GROWTH: Final = 2.0  # of each chunk over the one before: few messages, and still faster than playback

SHORT: Final = 100  # characters: up to here the whole text is spoken at both rates to measure it
SAMPLE: Final = 90  # characters of a longer text that are measured

PR_SET_PDEATHSIG: Final = 1


def end_with_parent(parent: int) -> None:
    """Makes the kernel end this process when its parent ends, however that happens."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)  # the parent ended before the call above


class Engine:
    """Speaks one utterance after another."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._library = Library()
        self._text = SpeakableText("", [0])
        self._pcm = bytearray()
        self._events: list[Event] = []
        self._sent = 0  # samples
        self._chunk_size = 0  # samples of the next chunk
        self._stopped = False

    def serve(self) -> None:
        """Speaks until the other side closes the socket."""
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
        self._text = make_speakable(utterance.text)
        self._pcm.clear()
        self._events.clear()
        self._sent = 0
        self._chunk_size = int(FIRST_CHUNK * self._library.sample_rate)
        self._stopped = False
        self._library.set_parameter(PARAMETER_RATE, self._rate(utterance.speed))
        self._library.speak(self._text.text, self._receive)
        if not self._stopped:
            self._send(last=True)
        send(self._connection, Ended())

    def _rate(self, speed: float) -> int:
        """Returns the rate at which the text is spoken at this speed.

        How much a rate changes depends on language, voice and text: the start of the text is measured at a first rate
        and at the normal one, and the rate is corrected by what that gave.
        """
        rate = rate_for(speed)
        if speed == 1:
            return rate
        normal, got = self._sample_length(NORMAL_RATE), self._sample_length(rate)
        return rate_for(speed * speed * got / normal) if normal and got else rate

    def _sample_length(self, rate: int) -> int:
        """Returns how many samples the start of the text takes at a rate."""
        samples = last_word = 0

        def count(pcm: bytes, events: Iterator[RawEvent]) -> bool:
            nonlocal samples, last_word
            samples += len(pcm) // 2
            last_word = max([last_word, *(event.sample for event in events if event.type == EVENT_WORD)])
            return not self._connection.poll()

        self._library.set_parameter(PARAMETER_RATE, rate)
        text = self._text.text
        if len(text) <= SHORT:
            self._library.speak(text, count)
            return samples
        self._library.speak(text[:SAMPLE], count)
        return last_word or samples  # the pause at the end of the sample is not the text's

    def _receive(self, pcm: bytes, events: Iterator[RawEvent]) -> bool:
        for event in events:
            if event.type in (EVENT_WORD, EVENT_CLAUSE_END):
                is_word = event.type == EVENT_WORD
                # A word's position counts from 1; a clause's is the number of characters up to its end.
                character = self._text.origin(max(0, event.text_position - is_word))
                self._events.append(Event(is_word, character, event.sample))
        self._pcm += pcm
        if len(self._pcm) // 2 >= self._chunk_size:
            self._chunk_size = min(int(self._chunk_size * GROWTH), int(LARGEST_CHUNK * self._library.sample_rate))
            self._send()
        if self._connection.poll():  # only a Stop, or the end of the socket, can come while speaking
            self._stopped = True
        return not self._stopped

    def _send(self, *, last: bool = False) -> None:
        """Sends a chunk with the events in it."""
        self._sent += len(self._pcm) // 2
        due = [event for event in self._events if last or event.sample <= self._sent]
        send(self._connection, Audio(bytes(self._pcm), due))
        self._events = self._events[len(due) :]
        self._pcm.clear()


if __name__ == "__main__":
    end_with_parent(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Engine(Connection(int(sys.argv[1]))).serve()

"""Python bindings for the part of libespeak-ng's C API that speaking needs (speak_lib.h, API 12 of eSpeak NG 1.52)."""

import ctypes
from collections.abc import Callable, Iterator
from itertools import count, takewhile
from pathlib import Path
from typing import Any, Final

import espeakng_loader

from espeak_voice.languages import Language, VoiceFile

AUDIO_OUTPUT_SYNCHRONOUS: Final = 2
INITIALIZE_DONT_EXIT: Final = 0x8000
POS_CHARACTER: Final = 1
CHARS_UTF8: Final = 1  # and neither SSML (0x10) nor phonemes in [[ ]] (0x100): text is only ever text
END_PAUSE: Final = 0x1000
PARAMETER_RATE: Final = 1
PARAMETER_PITCH: Final = 3
PARAMETER_RANGE: Final = 4
GENDERS: Final = {1: "male", 2: "female"}
EVENT_LIST_END: Final = 0
EVENT_WORD: Final = 1
EVENT_CLAUSE_END: Final = 5


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class RawEvent(ctypes.Structure):
    """espeak_EVENT."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # in characters, from 1
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


class RawVoice(ctypes.Structure):
    """espeak_VOICE."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.POINTER(ctypes.c_char)),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(RawEvent))

Receiver = Callable[[bytes, Iterator[RawEvent]], bool]
"""Takes the next int16 samples and the events in them; returns whether to go on."""


class Library:
    """libespeak-ng, initialised. Its state is global to the process, and one thread at a time may use it."""

    def __init__(self) -> None:
        self._lib: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        self._lib.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        self._lib.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
            ctypes.POINTER(ctypes.c_uint), ctypes.c_void_p,
        ]  # fmt: skip
        self._lib.espeak_ListVoices.argtypes = [ctypes.c_void_p]
        self._lib.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(RawVoice))
        self._data = Path(espeakng_loader.get_data_path())
        started = self._lib.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, bytes(self._data), INITIALIZE_DONT_EXIT)
        if started <= 0:
            raise RuntimeError(f"eSpeak NG cannot start with the data in {self._data}")
        self.sample_rate = int(started)
        # Kept, because the library itself holds no reference to it.
        self._callback = Callback(self._call)
        self._lib.espeak_SetSynthCallback(self._callback)
        self._receive: Receiver = _ignore
        self._raised: BaseException | None = None

    def _call(self, samples: Any, count: int, events: Any) -> int:  # noqa: ANN401 - ctypes pointers
        pcm = ctypes.string_at(samples, count * 2) if samples and count > 0 else b""
        try:
            return 0 if self._receive(pcm, _until_end(events)) else 1
        except BaseException as error:  # noqa: BLE001 - ctypes would only print it; `speak` raises it
            self._raised = error
            return 1

    def set_voice(self, name: str) -> bool:
        """Returns whether there is such a voice."""
        return bool(self._lib.espeak_SetVoiceByName(name.encode()) == 0)

    def set_parameter(self, parameter: int, value: int) -> None:
        self._lib.espeak_SetParameter(parameter, value, 0)

    def speak(self, text: str, receive: Receiver) -> None:
        """Returns when all is spoken or `receive` returned False. Raises RuntimeError, and what `receive` raises."""
        raw = text.encode() + b"\0"
        self._receive, self._raised = receive, None
        if status := self._lib.espeak_Synth(raw, len(raw), 0, POS_CHARACTER, 0, CHARS_UTF8 | END_PAUSE, None, None):
            raise RuntimeError(f"eSpeak NG answers {status}")
        if self._raised is not None:
            raise self._raised

    def voices(self) -> list[VoiceFile]:
        """Returns the voices of languages whose pronunciation rules are installed."""
        listed = self._list(None)
        return [voice for voice in listed if not voice.identifier.startswith("mb/") and self._has_rules(voice)]

    def variants(self) -> list[str]:
        """Returns the variants, which may follow "+" in the name of a voice: other speakers for any language."""
        wanted = RawVoice(languages=ctypes.create_string_buffer(b"variant"))
        return sorted(voice.identifier.removeprefix("!v/") for voice in self._list(ctypes.byref(wanted)))

    def _list(self, wanted: Any) -> list[VoiceFile]:  # noqa: ANN401 - a ctypes reference
        raw = self._lib.espeak_ListVoices(wanted)
        voices: list[VoiceFile] = []
        for pointer in takewhile(bool, (raw[index] for index in count())):
            voice = pointer.contents
            gender = GENDERS.get(voice.gender)
            languages = tuple(_languages(ctypes.addressof(voice.languages.contents)))
            voices.append(VoiceFile(voice.name.decode().strip(), voice.identifier.decode(), languages, gender))
        return voices

    def _has_rules(self, voice: VoiceFile) -> bool:
        """Returns whether the voice's dictionary, without which it is silent, is installed; its file may name it."""
        dictionary = voice.languages[0].tag.partition("-")[0]
        for line in (self._data / "lang" / voice.identifier).read_text().splitlines():
            match line.split():
                case ["dictionary", name, *_]:
                    dictionary = name
        return (self._data / f"{dictionary}_dict").exists()


def _languages(address: int) -> Iterator[Language]:
    """Reads pairs of a priority byte and a zero-terminated tag, up to a zero priority."""
    while priority := ctypes.string_at(address, 1)[0]:
        tag = ctypes.string_at(address + 1)
        yield Language(tag.decode().lower(), priority)
        address += 1 + len(tag) + 1


def _until_end(events: Any) -> Iterator[RawEvent]:  # noqa: ANN401 - a ctypes pointer
    index = 0
    while events[index].type != EVENT_LIST_END:
        yield events[index]
        index += 1


def _ignore(_: bytes, __: Iterator[RawEvent]) -> bool:
    return True

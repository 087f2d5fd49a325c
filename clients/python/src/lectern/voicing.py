"""The options of speech: voice, style and encoding. The server chooses what is left out or None."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

import msgspec

from lectern.types import AudioFormat
from lectern_contract import Break, Lane
from lectern_contract.voice_mixes import spelled

Mix: TypeAlias = Mapping[str, float]  # voices of one model and their weights

# Seconds of silence at speed 1 behind a clause, sentence, list item, paragraph or heading. What is left out is as a
# good reader makes it; clauses inside a sentence are then as the model speaks them.
Pauses: TypeAlias = Mapping[Break, float]


class Normalization(TypedDict, total=False):
    """What is written out as words, for models that can be told."""

    numbers: bool
    money: bool
    dates: bool
    units: bool
    urls: bool
    emails: bool


class Voicing(msgspec.Struct, frozen=True):
    """Who speaks, and how. Keywords of a method override it: `client.speak(text, narrator, speed=1.5)`."""

    voice: str | Mix | None = None  # its name, a mix by name such as "af_heart(2)+af_sky(1)", or as a dictionary
    model: str | None = None
    speed: float | None = None  # 0.25 to 4; 1 is the voice's own pace
    language: str | None = None  # BCP-47
    instructions: str | None = None  # how to speak, for models that can be told
    lexicon: Mapping[str, str] | None = None  # words and their pronunciation in IPA
    normalization: Normalization | None = None
    pauses: Pauses | None = None
    seed: int | None = None  # for models that sample at random
    markup: bool | None = None  # whether the text has [word](/IPA/) and [pause:1s], for models that read them
    lane: Lane | None = None  # "live" comes first, "batch" can wait


class Turn(msgspec.Struct, frozen=True):
    """What one speaker of a dialogue says. What is None is as in the dialogue's voicing."""

    text: str
    voice: str | Mix | None = None
    speed: float | None = None
    language: str | None = None
    pause: float | None = None  # seconds of silence before it


Text: TypeAlias = str | Sequence[Turn]


# The blocks that a document's audio leaves out: those that the model refuses, or also those that it fails at.
Skip: TypeAlias = Literal["refused", "failed"]


class DocumentVoicing(TypedDict, total=False):
    """The fields of a Voicing that the audio of documents takes, as keywords."""

    voice: str | Mix | None
    model: str | None
    speed: float | None
    language: str | None
    pauses: Pauses | None
    lane: Lane | None


class BlockAudioOptions(DocumentVoicing, total=False):
    audio_format: AudioFormat  # "opus" if left out


class DocumentAudioOptions(BlockAudioOptions, total=False):
    loudness: float | None  # integrated LUFS (EBU R128), -40 to -8; the audio then comes only when all of it is made
    skip: Skip | None  # "refused" if left out


class DocumentCaptionOptions(DocumentVoicing, total=False):
    skip: Skip | None  # "refused" if left out


class TextOptions(DocumentVoicing, total=False):
    """The fields of a Voicing as keywords, and whether the text has tags."""

    instructions: str | None
    lexicon: Mapping[str, str] | None
    normalization: Normalization | None
    seed: int | None
    markup: bool | None
    dialogue: bool  # the text has the tags [voice:NAME] and [pause:1.5s]


class SpeechOptions(TextOptions, total=False):
    audio_format: AudioFormat  # "opus" if left out
    sample_rate: int | None  # Hz; else the voice's own. Opus is always at 48000
    loudness: float | None  # integrated LUFS (EBU R128), -40 to -8; the audio then comes only when all of it is made


def merged(voicing: Voicing | None, options: Mapping[str, Any], known: frozenset[str]) -> Voicing:
    """Returns the voicing with the options in its place. Raises TypeError for an option that is not known."""
    for name in options:
        if name not in known:
            raise TypeError(f"there is no option {name!r}: use {', '.join(sorted(known))}")
    given = {name: options[name] for name in Voicing.__struct_fields__ if options.get(name) is not None}
    return msgspec.structs.replace(voicing or Voicing(), **given)


def voice_name(voice: str | Mix | None) -> str | None:
    return voice if voice is None or isinstance(voice, str) else spelled(voice)

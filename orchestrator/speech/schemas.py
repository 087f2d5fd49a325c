"""What the speech API takes: OpenAI's fields by OpenAI's names, and a few more."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

import lectern_contract as contract
from lectern.voicing import Voicing
from lectern_contract import Lane
from lectern_contract.voice_mixes import spelled
from orchestrator.audio.formats import AudioFormat
from orchestrator.lib.errors.problems import FieldError, bad_field
from orchestrator.lib.schema import Schema
from orchestrator.speech.response.captions import CaptionFormat

Speed = Annotated[
    float,
    Meta(ge=contract.MIN_SPEED, le=contract.MAX_SPEED, description="1 is the voice's own pace, 2 is twice as fast."),
]
Language = Annotated[str, Meta(description="BCP 47, such as en-GB. Left out: the voice's own.")]
Pause = Annotated[float, Meta(ge=0, description="Seconds of silence before it. Left out: as the turn before ends.")]
PauseSeconds = Annotated[float, Meta(ge=0)]
Seed = Annotated[int, Meta(ge=0, le=2**31 - 1, description="For models that draw lots; the others ignore it.")]
SampleRate = Literal[8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]
LOUDNESS: Final = (-40, -8)  # LUFS
Loudness = Annotated[float, Meta(ge=LOUDNESS[0], le=LOUDNESS[1])]


class VoiceReference(Schema):
    """A voice as an object: its id, or a mix of several."""

    id: Annotated[str | None, Meta(description="A voice of GET /v1/audio/voices.")] = None
    mix: Annotated[dict[str, float] | None, Meta(description="Voices and their weights, where the model mixes.")] = None


def voice_name(voice: str | VoiceReference | None) -> str | None:
    """Raises `BadRequest` for an object that is neither an id nor a mix."""
    if not isinstance(voice, VoiceReference):
        return voice
    if (voice.id is None) == (voice.mix is None):
        raise bad_field("voice", "as an object has either an 'id' or a 'mix'")
    return spelled(voice.mix) if voice.mix is not None else voice.id


class Normalization(Schema):
    """What is written out as words, where the model can be told."""

    numbers: bool | None = None
    money: bool | None = None
    dates: bool | None = None
    units: bool | None = None
    urls: bool | None = None
    emails: bool | None = None


class Pauses(Schema):
    """Seconds of silence at speed 1 behind each of these. What is left out is as a good reader makes it."""

    clause: Annotated[
        PauseSeconds | None,
        Meta(description="Also inside a sentence, where the model can be told; left out: as the model speaks there."),
    ] = None
    sentence: PauseSeconds | None = None
    list_item: Annotated[PauseSeconds | None, Meta(description="Also behind a row of a table.")] = None
    paragraph: PauseSeconds | None = None
    heading: Annotated[PauseSeconds | None, Meta(description="Also in front of it.")] = None


class Neutral(Schema):
    """What clients of OpenAI and of other servers send: by another name, or asking for what is done anyway."""

    stream: Annotated[bool | None, Meta(description="Ignored: audio leaves while it is made.")] = None
    user: Annotated[str | None, Meta(description="Ignored.")] = None
    lang_code: Annotated[str | None, Meta(description="The same as 'language'.")] = None
    volume_multiplier: Annotated[float | None, Meta(description="Only 1, which changes nothing.")] = None
    return_download_link: Annotated[bool | None, Meta(description="Only false: there is no link.")] = None

    @classmethod
    def objections(cls, given: Mapping[str, Any]) -> Iterator[FieldError]:
        if given.get("volume_multiplier") not in (None, 1.0):
            yield FieldError("volume_multiplier", "can only be 1; 'loudness' brings the audio to a loudness in LUFS")
        if given.get("return_download_link"):
            yield FieldError("return_download_link", "can only be false; the answer is the audio itself")
        language, same = given.get("language"), given.get("lang_code")
        if language is not None and same is not None and language.casefold() != same.casefold():
            yield FieldError(
                "lang_code", f"'{same}' and 'language' '{language}' contradict each other; send one of them"
            )


class Turn(Schema):
    """What one voice says in a dialogue. What is left out is as in the request."""

    text: str
    voice: str | VoiceReference | None = None
    speed: Speed | None = None
    language: Language | None = None
    pause: Pause | None = None


class Spoken(Neutral):
    """What every request to speak has. Null is as left out, as some clients send every field that they know."""

    input: Annotated[str | None, Meta(description="The text to speak; left out where there are turns.")] = ""
    turns: Annotated[list[Turn] | None, Meta(description="A dialogue, in the place of 'input'.")] = None
    dialogue: Annotated[
        bool | None,
        Meta(description="Whether [voice:af_sky] in 'input' changes the voice, and [pause:0.5s] is silence."),
    ] = False
    model: Annotated[
        str | None,
        Meta(description="A model of GET /v1/models. Left out, or one of OpenAI's own: the default one."),
    ] = None
    voice: Annotated[
        str | VoiceReference | None,
        Meta(
            description="A voice of GET /v1/audio/voices, or a mix: af_heart(2)+af_sky(1). Left out: the default one."
        ),
    ] = None
    speed: Speed | None = 1.0
    instructions: Annotated[
        str | None, Meta(description="How to speak, for models that can be told; the others ignore it.")
    ] = None
    language: Language | None = None
    lexicon: Annotated[
        dict[str, str] | None, Meta(description="Words and their pronunciation in the model's phonetic alphabet.")
    ] = None
    normalization: Normalization | None = None
    pauses: Pauses | None = None
    markup: Annotated[
        bool | None,
        Meta(description="Whether the model obeys [word](/IPA/) and [pause:0.5s] in the text; else they are words."),
    ] = False
    seed: Seed | None = None
    lane: Annotated[Lane | None, Meta(description="live is heard at once and comes first; batch can wait.")] = "live"

    def voicing(self) -> Voicing:
        """Raises `BadRequest`."""
        switches: Any = msgspec.to_builtins(self.normalization) if self.normalization else {}
        normalization: Any = {name: on for name, on in switches.items() if on is not None}
        silences: Any = msgspec.to_builtins(self.pauses) if self.pauses else {}
        pauses: Any = {kind: seconds for kind, seconds in silences.items() if seconds is not None}
        return Voicing(
            voice=voice_name(self.voice),
            model=self.model,
            speed=self.speed,
            language=self.language or self.lang_code,
            instructions=self.instructions,
            lexicon=self.lexicon,
            normalization=normalization or None,
            pauses=pauses or None,
            seed=self.seed,
            markup=self.markup,
            lane=self.lane,
        )


class SpeechRequest(Spoken):
    response_format: Annotated[
        AudioFormat | None, Meta(description="pcm is int16 little-endian mono at 24 kHz, without a header.")
    ] = "mp3"
    sample_rate: Annotated[
        SampleRate | None, Meta(description="Hz. Left out: the voice's own; of opus it is always 48000.")
    ] = None
    stream_format: Annotated[
        Literal["audio", "sse"] | None,
        Meta(description="sse: events with the audio in base64 and, at the end, the usage."),
    ] = "audio"
    timestamps: Annotated[
        Literal["none", "word"] | None,
        Meta(description="word: events with the times of words; needs stream_format sse."),
    ] = "none"

    loudness: Annotated[
        Loudness | None,
        Meta(description="LUFS (EBU R128) of the whole, which is sent once all of it is made. Left out: as it is."),
    ] = None


class CaptionRequest(Spoken):
    caption_format: Annotated[
        CaptionFormat | None, Meta(description="json has every word; srt and vtt have lines.")
    ] = "json"


class Model(Schema):
    id: str
    version: Annotated[str, Meta(description="Changes whenever the same request would sound different.")]
    object: str = "model"
    created: int = 0
    owned_by: str = "lectern"


class ModelList(Schema):
    data: list[Model]
    object: str = "list"


class AudioModel(Schema):
    id: str
    name: str


class AudioModelList(Schema):
    models: list[AudioModel]

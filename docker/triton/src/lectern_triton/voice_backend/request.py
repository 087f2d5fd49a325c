"""Parses and validates one request of the speech contract. Each refusal says what to change."""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import msgspec
import numpy as np

import lectern_contract as contract
from lectern_contract import LANES, Lane
from lectern_triton.voice_backend.nfc import UNCHANGED, NfcText, to_nfc
from lectern_triton.voice_backend.voice import BadRequest, Reference, Segment, Tensors

MAX_JSON: Final = 64 * 1024  # bytes, of `voice` and of `lexicon`
MAX_REFERENCE: Final = 60 * 48_000  # samples: a minute
REFERENCE_RATES: Final = range(8_000, 192_001)  # Hz
MAX_DEADLINE_MS: Final = 24 * 3_600_000

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_SPOKEN_CATEGORIES: Final = "LNS"  # letters, numbers, and symbols such as + or an emoji
_ALLOWED_CONTROLS: Final = "\t\n\r"
_FOREIGN_PARAMETERS: Final = "triton_"  # Triton's own request parameters begin so


@dataclass(frozen=True, slots=True)
class Describe:
    """A request for the model's card."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """A request to cancel another one.

    Closing that one's stream does the same, but Triton 2.51's gRPC front end sometimes crashes, or never releases the
    model, when a stream is closed while answers come (NVIDIA's issues 7840 and 8034, fixed in later versions).
    """

    request_id: str


@dataclass(frozen=True, slots=True)
class Speak:
    """A request for speech."""

    segment: Segment
    deadline: float | None
    """Seconds from the request's arrival."""
    nfc: NfcText = UNCHANGED
    """The segment's text, with the places of its characters in the text as it was sent."""


def read_request(tensors: Tensors, parameters: str) -> Describe | Cancel | Speak:
    """Parses a request from its input tensors and its parameters, which Triton gives as a JSON object.

    Raises BadRequest.
    """
    given = _parameters(parameters)
    if given.get(contract.DESCRIBE):
        return Describe()
    if cancelled := given.get(contract.CANCEL):
        return Cancel(cancelled)
    nfc = to_nfc(_speakable(_text(tensors, contract.TEXT)))
    segment = Segment(
        text=nfc.text,
        voice=_json(_text(tensors, contract.VOICE), contract.VOICE, dict[str, Any]),
        language=_language(tensors),
        speed=_speed(tensors),
        lexicon=_lexicon(tensors),
        reference=_speech(tensors, contract.REFERENCE_AUDIO, contract.REFERENCE_RATE, contract.REFERENCE_TEXT),
        previous=_speech(tensors, contract.PREVIOUS_AUDIO, contract.PREVIOUS_RATE, contract.PREVIOUS_TEXT),
        markup=given.get(contract.MARKUP, False),
        lane=_lane(given),
    )
    return Speak(segment, _deadline(given), nfc)


def _parameters(raw: str) -> dict[str, Any]:
    given = msgspec.json.decode(raw or "{}", type=dict[str, Any])
    known = (contract.LANE, contract.DEADLINE_MS, contract.MARKUP, contract.DESCRIBE, contract.CANCEL)
    for name in given:
        if name not in known and not name.startswith(_FOREIGN_PARAMETERS):
            raise BadRequest(f"unknown request parameter {name!r}: the known ones are {', '.join(known)}")
    for name in (contract.MARKUP, contract.DESCRIBE):
        if not isinstance(given.get(name, False), bool):
            raise BadRequest(f"{name} must be true or false")
    if not isinstance(given.get(contract.CANCEL, ""), str):
        raise BadRequest(f"{contract.CANCEL} must be the id of a request")
    return given


def _lane(given: Mapping[str, Any]) -> Lane:
    lane = given.get(contract.LANE, LANES[0])
    if lane not in LANES:
        raise BadRequest(f"unknown {contract.LANE} {lane!r}: use {' or '.join(LANES)}")
    return cast(Lane, lane)


def _deadline(given: Mapping[str, Any]) -> float | None:
    milliseconds = given.get(contract.DEADLINE_MS)
    if milliseconds is None:
        return None
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int):
        raise BadRequest(f"{contract.DEADLINE_MS} must be an integer, in milliseconds")
    if not 0 < milliseconds <= MAX_DEADLINE_MS:
        raise BadRequest(f"{contract.DEADLINE_MS} is {milliseconds}: it must lie between 1 and {MAX_DEADLINE_MS}")
    return milliseconds / 1_000


def _text(tensors: Tensors, name: str) -> str:
    """Returns a string input, limited in bytes by the longest text that is allowed, in UTF-8."""
    if name not in tensors:
        raise BadRequest(f"the input {name!r} is missing")
    raw = _single(tensors, name)
    limit = MAX_JSON if name != contract.TEXT else contract.MAX_TEXT * 4
    if len(raw) > limit:
        raise BadRequest(f"{name} is {len(raw)} bytes long: at most {limit} are taken")
    try:
        return cast(bytes, raw).decode()
    except UnicodeDecodeError as error:
        raise BadRequest(
            f"{name} is not valid UTF-8 at byte {error.start}: encode it as UTF-8, without lone surrogates"
        ) from None


def _single(tensors: Tensors, name: str) -> Any:  # noqa: ANN401 - whatever a tensor holds
    values = tensors[name].reshape(-1)
    if values.size != 1:
        raise BadRequest(f"{name} must hold one value, not {values.size}")
    return values[0]


def _speakable(text: str) -> str:
    if len(text) > contract.MAX_TEXT:
        raise BadRequest(
            f"the text is {len(text)} characters long: at most {contract.MAX_TEXT} are spoken at once,"
            " so cut it into sentences"
        )
    for position, character in enumerate(text):
        if unicodedata.category(character) == "Cc" and character not in _ALLOWED_CONTROLS:
            raise BadRequest(f"the text has the control character U+{ord(character):04X} at {position}: remove it")
    if not any(unicodedata.category(character)[0] in _SPOKEN_CATEGORIES for character in text):
        raise BadRequest(
            "the text is empty" if not text.strip() else "the text has nothing to speak: no letter or number"
        )
    return text


def _json(text: str, name: str, kind: Any) -> Any:  # noqa: ANN401 - msgspec checks it against `kind`
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise BadRequest(f"{name} is not what it must be: {error}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"{name} is not valid JSON: {error}") from None


def _language(tensors: Tensors) -> str | None:
    if contract.LANGUAGE not in tensors:
        return None
    language = _text(tensors, contract.LANGUAGE)
    if not _LANGUAGE.fullmatch(language):
        raise BadRequest(f"{language[:40]!r} is no language tag: use one of BCP 47, such as en or en-GB")
    return language


def _speed(tensors: Tensors) -> float:
    if contract.SPEED not in tensors:
        return 1.0
    speed = float(_single(tensors, contract.SPEED))
    if not math.isfinite(speed) or not contract.MIN_SPEED <= speed <= contract.MAX_SPEED:
        raise BadRequest(f"speed is {speed:g}: it must lie between {contract.MIN_SPEED:g} and {contract.MAX_SPEED:g}")
    return speed


def _lexicon(tensors: Tensors) -> dict[str, str]:
    if contract.LEXICON not in tensors:
        return {}
    lexicon: dict[str, str] = _json(_text(tensors, contract.LEXICON), contract.LEXICON, dict[str, str])
    if len(lexicon) > contract.MAX_LEXICON:
        raise BadRequest(
            f"the lexicon has {len(lexicon)} words: send only those that occur, at most {contract.MAX_LEXICON}"
        )
    for word, sound in lexicon.items():
        if not word.strip() or not sound.strip():
            raise BadRequest("the lexicon has an empty word or pronunciation")
        if max(len(word), len(sound)) > contract.MAX_LEXICON_TEXT:
            raise BadRequest(
                f"the lexicon has an entry of more than {contract.MAX_LEXICON_TEXT} characters: {word[:40]!r}"
            )
    return {to_nfc(word).text: sound for word, sound in lexicon.items()}


def _speech(tensors: Tensors, audio_name: str, rate_name: str, text_name: str) -> Reference | None:
    if audio_name not in tensors:
        if rate_name in tensors or text_name in tensors:
            raise BadRequest(f"{rate_name} and {text_name} need {audio_name}")
        return None
    if rate_name not in tensors:
        raise BadRequest(f"{audio_name} needs {rate_name}, in Hz")
    audio = tensors[audio_name].reshape(-1)
    if not 0 < audio.size <= MAX_REFERENCE:
        raise BadRequest(f"{audio_name} has {audio.size} samples: it must have 1 to {MAX_REFERENCE}")
    rate = int(_single(tensors, rate_name))
    if rate not in REFERENCE_RATES:
        raise BadRequest(f"{rate_name} is {rate}: it must lie between 8000 and 192000 Hz")
    text = to_nfc(_text(tensors, text_name)).text if text_name in tensors else None
    return Reference(np.array(audio, dtype=np.int16), rate, text)  # a copy: Triton takes its memory back

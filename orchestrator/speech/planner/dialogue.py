"""The turns of a request: its text alone, a list of turns, or a text with the tags [voice:af_sky] and [pause:0.5s]."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from orchestrator.lib.errors.problems import BadRequest, FieldError, TooLarge, bad_field
from orchestrator.lib.text_input import check_text
from orchestrator.speech.planner.script import Origin
from orchestrator.speech.schemas import Spoken, Turn, voice_name
from orchestrator.speech.settings import SpeechSettings

_TAG: Final = re.compile(r"\[(voice|pause):([^\[\]\n]{0,200})\]")
_SECONDS: Final = re.compile(r"(\d{1,4}(?:\.\d{1,6})?)\s{0,4}(ms|s)")
_MILLI: Final = 1_000


class PlannedTurn(NamedTuple):
    """What one voice says. An option that is None is as in the request.

    ``silence`` before it is in seconds; None is what its text and the one before ask for.
    """

    text: str
    origin: Origin
    silence: float | None = None
    voice: str | None = None
    speed: float | None = None
    language: str | None = None


def turns_of(request: Spoken, limits: SpeechSettings) -> Sequence[PlannedTurn]:
    """Raises `BadRequest` or `TooLarge`."""
    if request.turns is not None:
        if (request.input or "").strip():
            raise bad_field("input", "and 'turns' exclude each other; send one of them")
        return _listed(request.turns, limits)
    if not request.input:
        raise bad_field("input", "is missing or empty. Send the text to speak, or 'turns'")
    check_text(request.input, field="input", limit=limits.max_input)
    if request.dialogue:
        return _tagged(request.input, limits)
    return [PlannedTurn(request.input, Origin(text=request.input))]


def _listed(turns: Sequence[Turn], limits: SpeechSettings) -> list[PlannedTurn]:
    if not turns:
        raise bad_field("turns", "is empty; send some")
    _check_count(len(turns), limits.max_turns)
    characters = sum(len(turn.text) for turn in turns)
    if characters > limits.max_input:
        raise TooLarge(f"'turns' have {characters:,} characters; at most {limits.max_input:,} are accepted.")
    planned = []
    for number, turn in enumerate(turns):
        check_text(turn.text, field=f"turns[{number}].text", limit=limits.max_input)
        if turn.pause is not None and turn.pause > limits.max_pause:
            raise bad_field(
                f"turns[{number}].pause", f"is longer than the {limits.max_pause:g} seconds that are accepted"
            )
        origin = Origin(text=turn.text, turn=number)
        planned.append(PlannedTurn(turn.text, origin, turn.pause, voice_name(turn.voice), turn.speed, turn.language))
    return planned


def _tagged(text: str, limits: SpeechSettings) -> list[PlannedTurn]:
    turns = list(tagged_turns(text, longest_pause=limits.max_pause))
    _check_count(len(turns), limits.max_turns)
    if not turns:
        raise bad_field("input", "has tags and no text behind them. Write what is to be said behind them")
    return turns


def tagged_turns(text: str, *, longest_pause: float) -> Iterator[PlannedTurn]:
    """Raises `BadRequest` for a tag that cannot be followed. Silence behind the last word is left out."""
    voice: str | None = None
    silence: float | None = None
    begin = 0
    for tag in [*_TAG.finditer(text), None]:
        end = tag.start() if tag else len(text)
        said = text[begin:end]
        if said.strip():
            yield PlannedTurn(said, Origin(text=text, start=begin, end=end), silence, voice)
            silence = None
        if tag is None:
            return
        begin = tag.end()
        if tag[1] == "voice":
            voice = tag[2].strip() or _refuse(tag, "names no voice: write it as [voice:af_sky]")
        else:
            silence = (silence or 0.0) + _pause(tag, longest_pause)


def _pause(tag: re.Match[str], longest: float) -> float:
    found = _SECONDS.fullmatch(tag[2].strip())
    seconds = float(found[1]) / (_MILLI if found[2] == "ms" else 1) if found else -1.0
    if not 0 <= seconds <= longest:
        _refuse(tag, f"is no pause: write it as [pause:0.5s], with at most {longest:g} seconds")
    return seconds


def _refuse(tag: re.Match[str], why: str) -> str:
    message = f"{tag[0]!r} at character {tag.start()} {why}"
    raise BadRequest(f"'input' cannot be read as a dialogue: {message}.", errors=[FieldError("input", message)])


def _check_count(turns: int, most: int) -> None:
    if turns > most:
        raise TooLarge(f"The dialogue has {turns:,} turns; at most {most:,} are accepted. Send it in parts.")

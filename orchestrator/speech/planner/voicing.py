"""A voicing that is ready to speak: the voice that it names, and its options checked against the voice's model."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

import lectern_contract as contract
from lectern.voicing import Voicing
from lectern_contract import Break
from orchestrator.lib.errors.problems import bad_field
from orchestrator.lib.text_input import check_language, check_text
from orchestrator.speech.settings import SpeechSettings
from orchestrator.voices.voice import Voice

_LINE_ENDS: Final = re.compile(r"\n+")
_BY_LINE_ENDS: Final[Mapping[int, Break]] = {1: "list_item", 2: "paragraph"}


class ResolvedVoicing(msgspec.Struct, frozen=True, kw_only=True):
    """``parameters`` are the voice's own and the options of its model.

    ``speed`` is within the model's own; ``tempo`` makes of it the speed that was asked for.
    """

    voice: Voice
    parameters: Mapping[str, Any]
    language: str
    speed: float = 1.0
    tempo: float = 1.0
    lexicon: Mapping[str, str] = {}
    markup: bool = False  # whether the model reads markup in the text; else all of it is words
    pauses: Mapping[Break, float] = msgspec.field(default_factory=lambda: contract.PAUSES)  # seconds at speed 1
    asked_pauses: Mapping[Break, float] = {}  # those for which the model is asked

    def pause_behind(self, ends: Break | None) -> float:
        """Returns the seconds of silence, as it is heard, behind a segment with which this ends."""
        if ends is None:
            return 0.0
        return self.silence_before(self.pauses[ends], behind_sound=True)

    def silence_before(self, pause: float, *, behind_sound: bool) -> float:
        """Returns the seconds of silence, as it is heard, that make a pause: models leave some around their sounds."""
        around = contract.SILENCE_BEFORE + (contract.SILENCE_BEHIND if behind_sound else 0.0)
        return round(max(0.0, pause - around) / (self.speed * self.tempo), 3)

    def parameters_for(self, text: str) -> Mapping[str, Any]:
        """Returns the parameters for a text: of the pauses those that may be in it, so that others change no key."""
        ends = {_BY_LINE_ENDS.get(len(found[0]), "heading") for found in _LINE_ENDS.finditer(text)}
        pauses = {kind: seconds for kind, seconds in self.asked_pauses.items() if kind in {"clause", "sentence", *ends}}
        return {**self.parameters, "pauses": pauses} if pauses else self.parameters


def resolve(voicing: Voicing, voice: Voice, limits: SpeechSettings) -> ResolvedVoicing:
    """Raises `BadRequest` or `TooLarge`.

    An option that changes words is refused where the model does not have it. ``seed`` and ``instructions`` are left
    out there, as clients send them to every model, and ``pauses`` are those between segments.
    """
    speed = 1.0 if voicing.speed is None else voicing.speed
    if not contract.MIN_SPEED <= speed <= contract.MAX_SPEED:  # which NaN is not either
        raise bad_field("speed", f"must be from {contract.MIN_SPEED:g} to {contract.MAX_SPEED:g}")
    if voicing.language is not None:
        check_language(voicing.language)
    if voicing.instructions:
        check_text(voicing.instructions, field="instructions", limit=limits.max_instructions)
    _check_lexicon(voicing.lexicon or {}, limits.max_lexicon)
    pauses = _pauses(voicing.pauses or {}, limits.max_pause)
    options = {"lexicon": voicing.lexicon, "normalization": voicing.normalization, "markup": voicing.markup}
    for field, given in options.items():
        if given and field not in voice.features:
            raise bad_field(
                field, f"cannot be used with the model '{voice.model}'; leave it out or choose another model"
            )
    wanted = {"normalization": voicing.normalization, "seed": voicing.seed, "instructions": voicing.instructions}
    used = {name: value for name, value in wanted.items() if value not in (None, "", {}) and name in voice.features}
    own, tempo = contract.split_speed(speed, voice.speeds)
    return ResolvedVoicing(
        voice=voice,
        parameters={**voice.parameters, **used},
        language=voicing.language or voice.language,
        speed=own,
        tempo=tempo,
        lexicon=voicing.lexicon or {},
        markup=bool(voicing.markup),
        pauses={**contract.PAUSES, **pauses},
        asked_pauses=_to_ask_for(pauses) if "pauses" in voice.features else {},
    )


def _pauses(asked: Mapping[Break, float], longest: float) -> Mapping[Break, float]:
    unknown = asked.keys() - contract.PAUSES.keys()
    if unknown:
        raise bad_field("pauses", f"can be behind {', '.join(contract.PAUSES)}, and not behind '{min(unknown)}'")
    for kind, seconds in asked.items():
        if not 0 <= seconds <= longest:  # which NaN is not either
            raise bad_field(f"pauses.{kind}", f"must be from 0 to {longest:g} seconds")
    return {kind: float(asked[kind]) for kind in contract.PAUSES if kind in asked}


def _to_ask_for(pauses: Mapping[Break, float]) -> Mapping[Break, float]:
    """Leaves out what a model does anyway, which is to change no key. It makes its clauses' pauses by itself."""
    return {kind: pause for kind, pause in pauses.items() if kind == "clause" or pause != contract.PAUSES[kind]}


def _check_lexicon(lexicon: Mapping[str, str], most: int) -> None:
    if len(lexicon) > most:
        raise bad_field("lexicon", f"has {len(lexicon)} entries; at most {most} are accepted")
    for word, sound in lexicon.items():
        if not word.strip() or not sound.strip():
            raise bad_field("lexicon", "has an empty word or pronunciation")
        for text in (word, sound):
            if len(text) > contract.MAX_LEXICON_TEXT:
                raise bad_field("lexicon", f"has an entry of more than {contract.MAX_LEXICON_TEXT} characters")
            check_text(text, field="lexicon", limit=contract.MAX_LEXICON_TEXT)

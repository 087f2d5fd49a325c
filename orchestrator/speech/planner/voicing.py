"""A voicing that is ready to speak: the voice that it names, and its options checked against the voice's model."""

from collections.abc import Mapping
from typing import Any

import msgspec

import lectern_contract as contract
from lectern.voicing import Voicing
from orchestrator.lib.errors.problems import bad_field
from orchestrator.lib.text_input import check_language, check_text
from orchestrator.speech.settings import SpeechSettings
from orchestrator.voices.voice import Voice


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


def resolve(voicing: Voicing, voice: Voice, limits: SpeechSettings) -> ResolvedVoicing:
    """Raises `BadRequest` or `TooLarge`.

    An option that changes words is refused where the model does not have it. ``seed`` and ``instructions`` are left
    out there, as clients send them to every model.
    """
    speed = 1.0 if voicing.speed is None else voicing.speed
    if not contract.MIN_SPEED <= speed <= contract.MAX_SPEED:  # which NaN is not either
        raise bad_field("speed", f"must be from {contract.MIN_SPEED:g} to {contract.MAX_SPEED:g}")
    if voicing.language is not None:
        check_language(voicing.language)
    if voicing.instructions:
        check_text(voicing.instructions, field="instructions", limit=limits.max_instructions)
    _check_lexicon(voicing.lexicon or {}, limits.max_lexicon)
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
    )


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

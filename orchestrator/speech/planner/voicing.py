"""How a text is to be spoken: the voice and everything a listener may ask of it."""

from collections.abc import Mapping
from typing import Any

import msgspec

import lectern_contract as contract
from orchestrator.lib.errors.problems import bad_field
from orchestrator.lib.text_input import check_language, check_text
from orchestrator.speech.settings import SpeechSettings
from orchestrator.voices.catalog import Voice


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """``parameters`` are the voice's own, with what was asked for beyond them."""

    voice: Voice
    parameters: Mapping[str, Any]
    language: str
    speed: float = 1.0
    lexicon: Mapping[str, str] = {}
    markup: bool = False  # whether the model reads markup in the text; else all of it is words


def manner(
    voice: Voice,
    limits: SpeechSettings,
    *,
    speed: float = 1.0,
    language: str | None = None,
    lexicon: Mapping[str, str] | None = None,
    normalization: Mapping[str, bool] | None = None,
    seed: int | None = None,
    instructions: str | None = None,
    markup: bool = False,
) -> Manner:
    """Raises `BadRequest` or `TooLarge`.

    What changes words is refused where the model cannot do it. ``seed`` and ``instructions`` are left out there, as
    clients send them to every model.
    """
    if not contract.MIN_SPEED <= speed <= contract.MAX_SPEED:  # nor is it then one that is no number
        raise bad_field("speed", f"must be from {contract.MIN_SPEED:g} to {contract.MAX_SPEED:g}")
    if language is not None:
        check_language(language)
    if instructions:
        check_text(instructions, field="instructions", limit=limits.max_instructions)
    _check_lexicon(lexicon or {}, limits.max_lexicon)
    for field, given in (("lexicon", lexicon), ("normalization", normalization), ("markup", markup)):
        if given and field not in voice.features:
            raise bad_field(
                field, f"cannot be used with the model '{voice.model}'; leave it out or choose another model"
            )
    asked = {"normalization": normalization, "seed": seed, "instructions": instructions}
    used = {name: value for name, value in asked.items() if value not in (None, "", {}) and name in voice.features}
    return Manner(
        voice=voice,
        parameters={**voice.parameters, **used},
        language=language or voice.language,
        speed=speed,
        lexicon=lexicon or {},
        markup=markup,
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

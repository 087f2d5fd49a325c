"""Kokoro's vocabulary has a symbol for each sound of each language."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.models_environment import answer_of

FIXTURES = Path(__file__).parents[1] / "fixtures" / "g2p"
LATIN = "abcdefghijklmnopqrstuvwxyz"
LETTERS = {
    "en-US": LATIN,
    "en-GB": LATIN,
    "es": LATIN + "áéíñóúü",
    "fr": LATIN + "àâæçèéêëîïôùûüÿœ",
    "it": LATIN + "àèéìòóù",
    "pt-BR": LATIN + "áâãàçéêíóôõú",
    "hi": "".join(map(chr, (*range(0x0901, 0x093A), *range(0x093C, 0x094E), *range(0x0958, 0x0962)))),
}
CHARACTERS = {"zh": ("gb2312", 0xB0, 0xF8), "ja": ("euc_jp", 0xB0, 0xF5)}  # the rows of an encoding that has them
FOREIGN = (
    "Ωμέγα ψυχή Ξένος; Щука съела жёлтый объект; שלום גזע; مرحبا ضوء غريب; 한국어 말씀 꽃; ภาษาไทย; தமிழ் ழகரம்;"
    " Հայերեն ղեկավար; සිංහල අඟ; łódź Žižek İstanbul Þór œuvre ñandú ğ ə ß"
)


def corpus(language: str) -> Iterator[str]:
    """Sentences; every letter alone and in front of every other, or every character of a common encoding; emoji."""
    name = "sentences.txt" if language.startswith("en") else f"languages/{language}.txt"
    yield from (FIXTURES / name).read_text(encoding="utf-8").splitlines()
    yield f"{FOREIGN} 🎉 👩‍💻 ❤️ 1️⃣ ½ x² № † ~^`´"
    if language in CHARACTERS:
        encoding, first, last = CHARACTERS[language]
        for row in range(first, last):
            cells = bytes(byte for cell in range(0xA1, 0xFF) for byte in (row, cell))
            yield cells.decode(encoding, "ignore")
    else:
        letters = LETTERS[language]
        for letter in letters:
            yield " ".join([letter, *(letter + other for other in letters)])


@pytest.mark.parametrize("language", [*LETTERS, *CHARACTERS])
def test_kokoro_has_a_sign_for_every_sound(language: str) -> None:
    assert answer_of("unknown_phonemes.py", {language: list(corpus(language))}) == []


def test_a_sound_without_a_sign_is_an_error_in_the_log_once() -> None:
    (message,) = answer_of("unknown_phonemes.py", {"fr": ["Le ქ est une lettre.", "Le ქ encore."]})
    for part in ("fr", "U+0046", "ქ"):
        assert part in message

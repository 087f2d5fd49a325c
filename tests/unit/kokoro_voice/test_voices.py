from pathlib import Path

import numpy as np
import pytest

from kokoro_voice.model_card import describe
from kokoro_voice.style_tables import NoVoices, StyleTables
from kokoro_voice.voice_parameters import parse_parameters
from lectern_triton.voice_backend.voice import BadRequest

VOICES = ("af_heart", "af_sky", "bf_emma")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(VOICES):
        np.full((510, 256), float(number), "<f4").tofile(tmp_path / f"{name}.bin")
    return tmp_path


def test_the_row_is_that_of_the_number_of_phonemes(tmp_path: Path) -> None:
    np.repeat(np.arange(510, dtype="<f4"), 256).tofile(tmp_path / "af_heart.bin")
    styles = StyleTables(tmp_path)
    for phonemes, row in ((1, 0), (17, 16), (510, 509)):
        assert set(styles.row({"af_heart": 1.0}, phonemes)) == {row}


def test_a_mix_is_the_weighted_mean(folder: Path) -> None:
    styles = StyleTables(folder)
    mixed = styles.row({"af_sky": 2.0, "bf_emma": 4.0}, 10)
    assert mixed == pytest.approx((2 * 1 + 4 * 2) / 6)
    assert mixed.shape == (256,)


def test_a_mix_is_computed_once(folder: Path) -> None:
    styles = StyleTables(folder)
    one = styles.row({"af_heart": 1.0, "af_sky": 1.0}, 3)
    assert np.shares_memory(one, styles.row({"af_sky": 1.0, "af_heart": 1.0}, 3))


def test_no_voices_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoVoices, match="make kokoro"):
        StyleTables(tmp_path)


@pytest.mark.parametrize("damage", [b"short", b"\0" * (510 * 256 * 4 + 4), np.full(510 * 256, np.nan, "<f4").tobytes()])
def test_a_damaged_voice_fails_the_load(folder: Path, damage: bytes) -> None:
    (folder / "af_bad.bin").write_bytes(damage)
    with pytest.raises(ValueError, match="af_bad"):
        StyleTables(folder)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"voice": "nobody"}, "nobody"),
        ({"voice": "af_heart", "mix": {"af_sky": 1.0}}, "not both"),
        ({"mix": {}}, "1 to 8"),
        ({"mix": {"af_heart": 0.0}}, "above 0"),
        ({"mix": {"af_heart": -1.0}}, "above 0"),
        ({"mix": {"af_heart": float("inf")}}, "above 0"),
        ({"mix": {"af_heart": 1e300, "af_sky": 1e-300}}, "million"),
        ({"mix": {"af_heart": 1.0, "nobody": 1.0}}, "nobody"),
        ({"mix": {f"v{number}": 1.0 for number in range(9)}}, "1 to 8"),
        ({"mix": {"af_heart": "loud"}}, "mix"),
        ({"colour": "red"}, "colour"),
        ({"normalization": {"numbers": "yes"}}, "normalization"),
    ],
)
def test_what_cannot_be_chosen_is_refused(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse_parameters(parameters, VOICES)


def test_the_language_is_that_of_the_heaviest_voice() -> None:
    assert parse_parameters({"mix": {"af_sky": 1.0, "bf_emma": 2.0}}, VOICES).language == "en-GB"
    assert parse_parameters({"mix": {"af_sky": 1.0, "bf_emma": 1.0}}, VOICES).language == "en-US"


def test_without_a_choice_the_default_voice_speaks() -> None:
    assert parse_parameters({}, VOICES).weights == {"af_heart": 1.0}
    assert parse_parameters({}, ["zf_xiaobei"]).weights == {"zf_xiaobei": 1.0}


@pytest.mark.parametrize(
    ("name", "language", "gender", "grade"),
    [
        ("af_heart", "en-US", "female", "A"),
        ("bm_lewis", "en-GB", "male", "D+"),
        ("zm_yunxi", "zh", "male", "D"),
        ("pf_dora", "pt-BR", "female", None),
        ("jf_alpha", "ja", "female", "C+"),
    ],
)
def test_a_name_tells_language_gender_and_grade(name: str, language: str, gender: str, grade: str | None) -> None:
    assert describe(name)[:3] == (language, gender, grade)


def test_a_name_that_tells_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="heart"):
        describe("heart")

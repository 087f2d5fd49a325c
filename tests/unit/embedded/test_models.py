from pathlib import Path

import pytest

from orchestrator.embedded import CannotStart
from orchestrator.embedded.models import load_timeouts, needs, voices_of

ROOT = Path(__file__).parents[3]
REPOSITORY = ROOT / "model_repository"


def test_kokoro_needs_its_models() -> None:
    assert needs(["espeak", "kokoro"], [REPOSITORY]) == {"espeak": [], "kokoro": ["kokoro_g2p", "kokoro_acoustic"]}


def test_auto_is_espeak_and_the_installed_models(tmp_path: Path) -> None:
    assert voices_of("auto", [tmp_path]) == ["espeak"]
    (tmp_path / "kokoro").mkdir()
    (tmp_path / "kokoro" / "card.json").touch()
    assert voices_of("auto", [Path("nowhere"), tmp_path]) == ["espeak", "kokoro"]
    (tmp_path / "higgs").mkdir()
    assert voices_of("auto", [tmp_path]) == ["espeak", "kokoro"], "its files are still being fetched"
    (tmp_path / "higgs" / "card.json").touch()
    assert voices_of("auto", [tmp_path]) == ["espeak", "kokoro", "higgs"]


def test_a_model_says_how_long_it_may_take_to_load() -> None:
    assert load_timeouts(["espeak", "higgs"], [REPOSITORY]) == {"higgs": 900}


def test_names_may_have_blanks_and_repeat() -> None:
    assert voices_of(" espeak, hum,espeak", []) == ["espeak", "hum"]


def test_a_model_that_is_nowhere_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"nosuch.*LECTERN_MODELS"):
        needs(["nosuch"], [REPOSITORY, tmp_path])

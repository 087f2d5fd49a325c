from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.embedded import CannotStart
from orchestrator.embedded.models import load_timeouts, needs, voices_of
from orchestrator.embedded.triton import TritonConfiguration

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


def test_the_start_waits_as_long_as_the_slowest_model_may_take() -> None:
    timeouts = load_timeouts(["espeak", "higgs"], [REPOSITORY])
    assert timeouts == {"higgs": 900}
    path = Path()
    configuration = TritonConfiguration(path, path, path, path, path, path, 2, "prefix-", {"espeak": ()})
    assert configuration.start_timeout < 900 < replace(configuration, load_timeouts=timeouts).start_timeout


def test_names_may_have_blanks_and_repeat() -> None:
    assert voices_of(" espeak, hum,espeak", []) == ["espeak", "hum"]


def test_a_model_that_is_nowhere_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"nosuch.*LECTERN_MODELS"):
        needs(["nosuch"], [REPOSITORY, tmp_path])


def test_needed_models_are_loaded_first_and_once() -> None:
    wanted = {"espeak": (), "kokoro": ("g2p", "acoustic"), "other": ("g2p",)}
    path = Path()
    configuration = TritonConfiguration(path, path, path, path, path, path, 2, "prefix-", wanted)
    assert configuration.models == ["g2p", "acoustic", "espeak", "kokoro", "other"]

import pytest

from orchestrator.guard.limits import Limits, limits_in, needs_in, overridden
from orchestrator.guard.settings import GuardSettings, required_models
from orchestrator.lib.environment import SettingsError, read


def test_a_model_says_its_limits_and_needs() -> None:
    parameters = {"load_timeout": "900", "probe_timeout": "20", "needs": "g2p, acoustic"}
    assert limits_in(parameters) == Limits(load=930, probe=20)
    assert needs_in(parameters) == ("g2p", "acoustic")
    assert limits_in({"probe_timeout": "soon", "silence_timeout": "-1"}) == Limits()


def test_a_setting_overrides_the_limits_of_one_model() -> None:
    setting = " higgs.load=1200, espeak.probe=2.5 ,espeak.silence=1,"
    assert overridden(Limits(), "espeak", setting) == Limits(probe=2.5, silence=1)
    assert overridden(Limits(), "higgs", setting) == Limits(load=1200)
    assert overridden(Limits(), "kokoro", setting) == Limits()


def test_models_are_named_with_what_they_need_or_say_it_themselves() -> None:
    assert required_models("espeak=, kokoro=g2p + acoustic, higgs") == {
        "espeak": (),
        "kokoro": ("g2p", "acoustic"),
        "higgs": None,
    }


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LECTERN_GUARD_MODELS", "espeak;kokoro"),
        ("LECTERN_GUARD_MODELS", "kokoro=g2p=acoustic"),
        ("LECTERN_MODEL_LIMITS", "higgs=900"),
        ("LECTERN_MODEL_LIMITS", "higgs.patience=900"),
        ("LECTERN_MODEL_LIMITS", "higgs.load=long"),
        ("LECTERN_GUARD_LISTEN", "8010"),
    ],
)
def test_what_cannot_be_used_is_told(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable} cannot be used"):
        read(GuardSettings, {variable: value})


def test_all_that_can_be_said_is_taken() -> None:
    given = {
        "LECTERN_GUARD_MODELS": "espeak=,kokoro=kokoro_g2p+kokoro_acoustic,higgs",
        "LECTERN_MODEL_LIMITS": "higgs.load=900,espeak.probe=2.5",
        "LECTERN_GUARD_LISTEN": "[::1]:8010",
    }
    assert read(GuardSettings, given).models == given["LECTERN_GUARD_MODELS"]

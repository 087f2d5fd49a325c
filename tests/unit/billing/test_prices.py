import pytest

from orchestrator.billing.prices import Prices
from orchestrator.billing.settings import BillingSettings
from orchestrator.lib.environment import SettingsError, read


def prices(text: str) -> Prices:
    return Prices.read(read(BillingSettings, {"LECTERN_PRICES": text}))


def test_seconds_are_charged_by_model_and_rounded_up() -> None:
    found = prices("kokoro=120,espeak=10")
    assert (found.cost("kokoro", 2.0), found.cost("espeak", 0.01), found.cost("other", 100.0)) == (240, 1, 0)


def test_without_prices_speech_is_free() -> None:
    assert prices("").cost("kokoro", 1_000.0) == 0


@pytest.mark.parametrize("text", ["kokoro", "kokoro=", "kokoro=-1", "kokoro=1.5", "kokoro=1,,espeak=2", "kokoro=1,"])
def test_what_is_no_list_of_prices_is_refused_at_start(text: str) -> None:
    with pytest.raises(SettingsError, match="LECTERN_PRICES"):
        prices(text)

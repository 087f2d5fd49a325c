import pytest

from orchestrator.settings import SettingsError, load

REQUIRED = {"DATABASE_URL": "postgresql://u:hidden@h/d", "STORE_URL": "file:///x", "TRITON_URL": "h:1"}


def test_defaults_need_only_the_three_addresses() -> None:
    settings = load(REQUIRED)
    assert settings.server.port == 8000
    assert settings.database.url.reveal() == REQUIRED["DATABASE_URL"]


def test_a_secret_never_shows_itself() -> None:
    settings = load(REQUIRED)
    assert "hidden" not in repr(settings)
    assert "hidden" not in str(settings.database.url)
    assert "hidden" not in f"{settings.database}"


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_missing_address_is_named(missing: str) -> None:
    with pytest.raises(SettingsError, match=f"{missing} is not set"):
        load({name: value for name, value in REQUIRED.items() if name != missing})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LECTERN_PORT", "eighty"),
        ("LECTERN_PORT", "70000"),
        ("LECTERN_LOG_FORMAT", "xml"),
        ("LECTERN_SEGMENTS_AHEAD", "-1"),
        ("LECTERN_SPEECH_DEADLINE", "0"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable} cannot be used") as caught:
        load({**REQUIRED, variable: value})
    assert "\n" not in str(caught.value)

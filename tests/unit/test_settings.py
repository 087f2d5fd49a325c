import pytest

from orchestrator.lib.environment import SettingsError
from orchestrator.settings import load

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
        ("LECTERN_SPEECH_MAX_INPUT", "-1"),
        ("LECTERN_SPEECH_DEADLINE", "0"),
        ("LECTERN_MODEL_SLOTS", "8"),
        ("LECTERN_MODEL_SLOTS", "kokoro=0"),
        ("LECTERN_MODEL_SLOTS", "kokoro=2;espeak=8"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable} cannot be used") as caught:
        load({**REQUIRED, variable: value})
    assert "\n" not in str(caught.value)


def test_slots_are_set_by_model() -> None:
    admission = load({**REQUIRED, "LECTERN_MODEL_SLOTS": "kokoro=2, espeak=12"}).admission
    assert admission.slots_by_model() == {"kokoro": 2, "espeak": 12}


S3 = {**REQUIRED, "STORE_URL": "s3://bucket/audio"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({**S3, "LECTERN_AUDIO_DELIVERY": "x-accel"}, "LECTERN_AUDIO_DELIVERY cannot be x-accel"),
        ({**REQUIRED, "LECTERN_AUDIO_DELIVERY": "redirect"}, "LECTERN_AUDIO_DELIVERY cannot be redirect"),
        (
            {**REQUIRED, "STORE_URL": "memory:///", "LECTERN_AUDIO_DELIVERY": "redirect"},
            "LECTERN_AUDIO_DELIVERY cannot be redirect",
        ),
        (
            {**S3, "LECTERN_AUDIO_DELIVERY": "redirect", "LECTERN_CACHE_GRACE": "300"},
            "LECTERN_CACHE_GRACE must be greater than LECTERN_LINK_SECONDS",
        ),
        ({**REQUIRED, "LECTERN_AUDIO_DELIVERY": "pigeon"}, "LECTERN_AUDIO_DELIVERY cannot be used"),
        ({**REQUIRED, "LECTERN_ACCEL_PREFIX": "cached"}, "LECTERN_ACCEL_PREFIX cannot be used"),
        ({**REQUIRED, "LECTERN_CACHE_BUDGET": "-1"}, "LECTERN_CACHE_BUDGET cannot be used"),
    ],
)
def test_a_way_of_delivery_that_cannot_work_is_refused_at_start(given: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named) as caught:
        load(given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [{**REQUIRED, "LECTERN_AUDIO_DELIVERY": "x-accel"}, S3])
def test_a_way_of_delivery_that_works_is_taken(given: dict[str, str]) -> None:
    assert load(given).delivery.way == given.get("LECTERN_AUDIO_DELIVERY", "direct")


def test_an_object_store_may_redirect() -> None:
    assert load({**S3, "LECTERN_AUDIO_DELIVERY": "redirect"}).delivery.link_seconds == 300

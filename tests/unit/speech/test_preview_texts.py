"""The text of a preview."""

import pytest

from orchestrator.speech.previews import preview_text


@pytest.mark.parametrize("language", ["en", "en-GB", "EN-us", "de", "es", "fr", "hi", "it", "ja", "pt-BR", "zh"])
def test_a_preview_is_in_the_voices_language(language: str) -> None:
    text = preview_text(language)
    assert text == preview_text(language.partition("-")[0].lower())
    assert text != preview_text("x")
    assert len(text) > 15


def test_a_voice_of_another_language_counts() -> None:
    assert preview_text("sw") == preview_text("") == "1, 2, 3, 4, 5."

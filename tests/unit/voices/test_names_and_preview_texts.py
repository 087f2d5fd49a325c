"""OpenAI's names, and what voices say of themselves."""

from typing import get_args, get_type_hints

import openai.types.audio.speech_create_params as openai_speech
import pytest
from openai.types.audio.speech_model import SpeechModel

from orchestrator.voices.openai_names import OPENAI_MODELS, OPENAI_VOICES
from orchestrator.voices.preview_texts import preview_text


def literals(kind: object) -> set[str]:
    """The strings in a type, however deep they stand in its unions."""
    return {kind} if isinstance(kind, str) else set().union(*map(literals, get_args(kind)))


def test_the_names_of_openais_client_are_known() -> None:
    assert literals(SpeechModel) <= OPENAI_MODELS
    voices = literals(get_type_hints(openai_speech.SpeechCreateParams, include_extras=False)["voice"])
    assert len(voices) > 5
    assert voices <= OPENAI_VOICES


@pytest.mark.parametrize("language", ["en", "en-GB", "EN-us", "de", "es", "fr", "hi", "it", "ja", "pt-BR", "zh"])
def test_a_preview_is_in_the_voices_language(language: str) -> None:
    text = preview_text(language)
    assert text == preview_text(language.partition("-")[0].lower())
    assert text != preview_text("x")
    assert len(text) > 15


def test_a_voice_of_another_language_counts() -> None:
    assert preview_text("sw") == preview_text("") == "1, 2, 3, 4, 5."

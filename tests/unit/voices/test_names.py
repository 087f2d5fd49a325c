"""Slugs, ids, and the names that OpenAI's clients send."""

from typing import get_args, get_type_hints

import openai.types.audio.speech_create_params as openai_speech
import pytest
from openai.types.audio.speech_model import SpeechModel

from orchestrator.lib.errors.problems import BadRequest
from orchestrator.voices.names import MAX_SLUG, OPENAI_MODELS, OPENAI_VOICES, normalize_spaces, slug_of, voice_id

ID = "0193b2aa-0000-7000-8000-00000000000f"


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Ada", "ada"),
        ("Ada  Lovelace", "ada-lovelace"),
        ("ada_lovelace", "ada_lovelace"),
        ("Grandma's voice!", "grandma-s-voice"),
        ("a(2)+b", "a-2-b"),
        ("[voice:x]", "voice-x"),
        ("Ünal Straße", "ünal-strasse"),
        ("ＡＤＡ", "ada"),
        ("おばあちゃん の声", "おばあちゃん-の声"),
        ("--x--", "x"),
        ("__x__", "x"),
        ("x" * 200, "x" * MAX_SLUG),
    ],
)
def test_a_slug_can_be_written_in_a_request(name: str, slug: str) -> None:
    assert slug_of(name) == slug
    assert slug_of(slug) == slug


@pytest.mark.parametrize("name", ["", "!?", "  ", "---", "\u0301", ID, ID.upper()])
def test_a_name_that_makes_no_slug_is_refused(name: str) -> None:
    with pytest.raises(BadRequest) as raised:
        slug_of(name)
    assert raised.value.errors[0].field == "name"


def test_white_space_in_a_name_is_one_space() -> None:
    assert normalize_spaces("  Ada \n\t Lovelace ") == "Ada Lovelace"


@pytest.mark.parametrize("name", ["", "ada", ID[:-1], ID + "0", ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}"])
def test_only_the_usual_form_of_an_id_is_one(name: str) -> None:
    assert voice_id(name) is None
    assert str(voice_id(ID)) == str(voice_id(ID.upper())) == ID


def literals(kind: object) -> set[str]:
    """The strings in a type, however deep they stand in its unions."""
    return {kind} if isinstance(kind, str) else set().union(*map(literals, get_args(kind)))


def test_the_names_of_openais_client_are_known() -> None:
    assert literals(SpeechModel) <= OPENAI_MODELS
    voices = literals(get_type_hints(openai_speech.SpeechCreateParams, include_extras=False)["voice"])
    assert len(voices) > 5
    assert voices <= OPENAI_VOICES

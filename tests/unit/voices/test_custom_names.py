"""What a name becomes in requests."""

import pytest

from orchestrator.lib.errors.problems import BadRequest
from orchestrator.voices.custom.names import LONGEST, slug_of, tidy, voice_id

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
        ("x" * 200, "x" * LONGEST),
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
    assert tidy("  Ada \n\t Lovelace ") == "Ada Lovelace"


@pytest.mark.parametrize("name", ["", "ada", ID[:-1], ID + "0", ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}"])
def test_only_the_usual_form_of_an_id_is_one(name: str) -> None:
    assert voice_id(name) is None
    assert str(voice_id(ID)) == str(voice_id(ID.upper())) == ID

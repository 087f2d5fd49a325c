import pytest

from orchestrator.guard.recovery import broken_parts

NEEDS = {"kokoro": ("g2p", "acoustic"), "other": ("g2p",), "espeak": ()}


@pytest.mark.parametrize(
    ("model", "dead", "alone", "ended"),
    [
        pytest.param("espeak", [], True, ["espeak"], id="a model that needs none"),
        pytest.param("kokoro", ["kokoro"], True, ["kokoro"], id="the others work"),
        pytest.param("kokoro", ["acoustic"], True, ["kokoro", "acoustic"], id="requests are lost in the dead one"),
        pytest.param("kokoro", ["g2p"], True, ["kokoro", "g2p"], id="a dead one may be shared"),
        pytest.param("kokoro", [], True, ["kokoro", "acoustic"], id="any may hang, at first not a shared one"),
        pytest.param("kokoro", [], False, ["kokoro", "g2p", "acoustic"], id="then a shared one too"),
    ],
)
def test_no_more_is_loaded_again_than_must_be(model: str, dead: list[str], ended: list[str], *, alone: bool) -> None:
    assert broken_parts(model, NEEDS, dead, alone=alone) == ended

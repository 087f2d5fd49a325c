"""What the tests ask an engine for."""

from typing import Any

from lectern_triton.higgs_engine.messages import Recording, Sampling, Speak
from tests.higgs.recordings import tone
from tests.higgs.texts import NEVER

SCENE = "Audio is recorded from a quiet room."
HIGH = Recording(tone(330, 1.5), "This is the reference.")
LOW = Recording(tone(110, 1.2), "This is another one.")
TEXT = "The sun rises in the east."
ENDLESS = f"The sun {NEVER} rises."


def sampling(**changes: Any) -> Sampling:
    usual = {"temperature": 0.8, "top_p": 0.95, "top_k": 50, "seed": 7}
    return Sampling(**{**usual, **changes})


def request(text: str = TEXT, **changes: Any) -> Speak:
    """The engine gives it a number."""
    usual = {"id": 0, "reference": HIGH, "sampling": sampling(), "max_frames": 100}
    return Speak(text=text, **{**usual, **changes})

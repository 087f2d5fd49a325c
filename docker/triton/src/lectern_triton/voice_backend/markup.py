"""The markup that a model's card may offer: `[word](/IPA/)` for a pronunciation, and `[pause:0.5s]` for silence.

Here it is only told apart from the text; the models that offer it read it themselves.
"""

import re
from typing import Final

LONGEST_PAUSE: Final = 10.0  # seconds

_PRONOUNCED = re.compile(r"\]\(/[^()/\n]{1,200}/\)")
_PAUSE = re.compile(r"\[pause:\s{0,4}(\d{1,4}(?:\.\d{1,6})?)\s{0,4}s\]")


def without_markup(text: str) -> str:
    """Return the text with a space for each character of markup, so that all else keeps its place."""
    for markup in (_PAUSE, _PRONOUNCED):
        text = markup.sub(lambda found: " " * len(found[0]), text)
    return text


def pauses_in(text: str) -> float:
    """Return how many seconds of silence a text asks for."""
    return sum(float(seconds) for seconds in _PAUSE.findall(text))

"""The markup that a model may offer: `[word](/IPA/)` for a pronunciation, `[pause:0.5s]` for silence.

This module separates markup from text. The models that offer markup interpret it themselves.
"""

import re
from typing import Final

LONGEST_PAUSE: Final = 10.0  # seconds

_PRONOUNCED = re.compile(r"\]\(/[^()/\n]{1,200}/\)")
_PAUSE = re.compile(r"\[pause:\s{0,4}(\d{1,4}(?:\.\d{1,6})?)\s{0,4}s\]")


def without_markup(text: str) -> str:
    """Returns the text with each character of markup replaced by a space, so that words keep their places."""
    for markup in (_PAUSE, _PRONOUNCED):
        text = markup.sub(lambda found: " " * len(found[0]), text)
    return text


def pauses_in(text: str) -> float:
    """Returns the seconds of silence that the text asks for."""
    return sum(float(seconds) for seconds in _PAUSE.findall(text))

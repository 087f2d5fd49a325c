"""How many frames of audio a text may take: a model that does not come to its end must not go on for ever."""

import unicodedata
from typing import Final

from lectern_triton.voice_backend.protocol import BadRequest

SILENCE: Final = 50  # frames around the speech
# A digit or a symbol may be a word or more, and a letter of a script without an alphabet a syllable or a word.
WORDY: Final = 4.0  # times as long as a letter
BRISK: Final = 1.0  # frames: 25 letters a second, which nobody speaks


def most_frames(text: str, a_letter: float, limit: int) -> int:
    """Return the cap for a text; `limit` is the model's own. Raises BadRequest for a text that cannot fit into it."""
    letters = wordy = 0
    for character in text:
        category = unicodedata.category(character)
        if category == "Lo" or category[0] in "NS":
            wordy += 1
        else:
            letters += 1
    if (letters + wordy) * BRISK > limit:
        raise BadRequest(
            f"the text is {len(text)} characters long, and this model speaks {limit / 25:.0f} s at most at a time:"
            " cut it into sentences"
        )
    return min(limit, round(SILENCE + a_letter * (letters + WORDY * wordy)))

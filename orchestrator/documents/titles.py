"""A title for a document that came without one."""

import string
from typing import Final

_MARKUP: Final = string.whitespace + "#*_`~"
_LEADING: Final = _MARKUP + ">-=.)" + string.digits
_LONGEST_LINE: Final = 2_000  # characters looked at: a title is far shorter, and a line may be a whole book


def title_of(text: str) -> str:
    """The first line with a letter or digit in it, without the markup around it."""
    lines = [line[:_LONGEST_LINE] for line in text.splitlines()]
    for line in lines:
        bare = line.lstrip(_LEADING).rstrip(_MARKUP)
        if any(character.isalnum() for character in bare):
            return " ".join(bare.split())
    return next((line.strip() for line in lines if line.strip()), "Untitled")

"""Keeps a text from ending its own turn in a prompt, or beginning another."""

import re
from collections.abc import Iterable


class ControlTokens:
    """The control tokens of a model, which are plain text where they occur in a text."""

    def __init__(self, tokens: Iterable[str]) -> None:
        # The longest first, as one token may begin like another.
        self._any = re.compile("|".join(map(re.escape, sorted(tokens, key=len, reverse=True))))

    def escaped(self, text: str) -> str:
        """Puts a space after the first character of each control token, so that the tokenizer recognizes none."""
        return self._any.sub(lambda token: f"{token[0][0]} {token[0][1:]}", text)

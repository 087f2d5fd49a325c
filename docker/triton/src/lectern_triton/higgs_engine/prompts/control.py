"""What a text must not do: end its own turn, or begin another."""

import re
from collections.abc import Iterable


class ControlTokens:
    """A model's own marks. What reads like one of them in a text is only text."""

    def __init__(self, tokens: Iterable[str]) -> None:
        # The longest first: one may begin as another does.
        self._any = re.compile("|".join(map(re.escape, sorted(tokens, key=len, reverse=True))))

    def broken_up(self, text: str) -> str:
        """Put a space behind the first character of each, so that the tokenizer knows none of them."""
        return self._any.sub(lambda token: f"{token[0][0]} {token[0][1:]}", text)

"""Reads a text around the runs whose phonemes are given, for readers that know nothing of such runs."""

import re
from collections.abc import Callable

from g2p.aligned import AlignedText
from g2p.token import Token

_BLANK = re.compile(r"\s*")


def read_around(text: AlignedText, read: Callable[[str], list[Token]]) -> list[Token]:
    """`read` gets what lies between the fixed runs, and its tokens count from there."""
    tokens: list[Token] = []
    end = 0
    for run in (*text.fixed, None):
        plain = text.text[end : run.start if run else None]
        if plain.strip():
            tokens += [Token(end + token.start, end + token.end, token.phonemes, token.space) for token in read(plain)]
        if tokens and plain[-1:].isspace() and not tokens[-1].space:
            tokens[-1] = Token(tokens[-1].start, tokens[-1].end, tokens[-1].phonemes, " ")
        if run is not None:
            end = run.end
            space = " " if text.text[end : end + 1].isspace() else ""
            tokens.append(Token(run.start, end, run.phonemes, space))
    return tokens

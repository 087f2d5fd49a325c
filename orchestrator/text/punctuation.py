"""The marks that end, pause and enclose, in the scripts that have their own."""
# ruff: noqa: RUF001 -- marks that look like others are the point of this file

from typing import Final

QUOTES: Final = "\"'“”‘’«»‹›„"
CLOSING_QUOTES: Final = "\"'”’»›"
CLOSING_BRACKETS: Final = ")]}）】》〉」』"

SENTENCE_STOPS: Final = ".!?…।॥؟۔։።။។"  # a space follows them
WIDE_STOPS: Final = "。！？｡"  # no space follows them
CLAUSE_STOPS: Final = ";:,،؛—–"
WIDE_CLAUSE_STOPS: Final = "、，；："

PAUSES: Final = frozenset(SENTENCE_STOPS + WIDE_STOPS + CLAUSE_STOPS + WIDE_CLAUSE_STOPS + "．၊")

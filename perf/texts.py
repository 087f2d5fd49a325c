"""Texts to measure with. They are always new, so that nothing of them is in the cache."""

import random
from collections.abc import Iterator
from typing import Final

WORDS: Final = tuple(
    "river morning letter garden winter station candle mountain window silver story market harbour teacher orange "  # noqa: SIM905
    "village evening kitchen forest island summer bridge corner music paper stone thunder valley wagon yellow".split()
)
WORDS_IN_A_SEGMENT: Final = 7  # some three seconds, which Lectern does not cut into several segments
SENTENCES: Final = (
    "The {0} near the {1} was closed for the whole {2}.",
    "Nobody had told the {0} that the {1} would leave before the {2} came, and so the whole house waited.",
    "When the {0} fell into the {1}, everyone laughed.",
    "It takes a {0}, a {1} and a good {2} to cross the hills in the winter months, the old guide said.",
    "Why does the {0} always look so small beside the {1}?",
)
KINDS: Final = {"short": 1, "medium": 2, "long": 6}  # sentences of a text


def text(sentences: int) -> str:
    """Returns a new text of that many sentences."""
    chance = random.SystemRandom()
    return " ".join(SENTENCES[number % len(SENTENCES)].format(*chance.sample(WORDS, 3)) for number in range(sentences))


def one_segment_texts(count: int) -> list[str]:
    """Returns new sentences, each short enough to be one segment."""
    chance = random.SystemRandom()
    return [" ".join(chance.choices(WORDS, k=WORDS_IN_A_SEGMENT)).capitalize() + "." for _ in range(count)]


def workloads(sentences: int) -> Iterator[tuple[str, list[str]]]:
    """Yields each kind of text, with texts of about that many sentences together."""
    for kind, each in KINDS.items():
        yield kind, [text(each) for _ in range(max(1, sentences // each))]
    mixed = [1, 6, 2, 1, 2]
    yield "mixed", [text(mixed[number % len(mixed)]) for number in range(max(2, sentences // 3))]

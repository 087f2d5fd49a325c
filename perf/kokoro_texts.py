"""What Kokoro is measured with: our own texts, short, medium and long, never the same twice."""

import random
from collections.abc import Iterator
from typing import Final

from perf.speaking import WORDS

SENTENCES: Final = (
    "The {0} near the {1} was closed for the whole {2}.",
    "Nobody had told the {0} that the {1} would leave before the {2} came, and so the whole house waited.",
    "When the {0} fell into the {1}, everyone laughed.",
    "It takes a {0}, a {1} and a good {2} to cross the hills in the winter months, the old guide said.",
    "Why does the {0} always look so small beside the {1}?",
)
KINDS: Final = {"short": 1, "medium": 2, "long": 6}  # sentences of a text


def text(sentences: int) -> str:
    """Return a text that nobody has asked for before, so that nothing of it is stored."""
    chance = random.SystemRandom()
    return " ".join(SENTENCES[number % len(SENTENCES)].format(*chance.sample(WORDS, 3)) for number in range(sentences))


def workloads(sentences: int) -> Iterator[tuple[str, list[str]]]:
    """Yield kinds of texts, each with texts of about so many sentences together."""
    for kind, each in KINDS.items():
        yield kind, [text(each) for _ in range(max(1, sentences // each))]
    mixed = [1, 6, 2, 1, 2]
    yield "mixed", [text(mixed[number % len(mixed)]) for number in range(max(2, sentences // 3))]

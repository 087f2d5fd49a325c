"""How repeated measurements are summed up: the median, and how far they lay apart."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Spread:
    median: float
    min: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{_short(self.median):>9}  ({_short(self.min)} to {_short(self.max)})"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def spreads(repetitions: Sequence[dict[str, float]]) -> dict[str, Spread]:
    return {name: Spread.of([one[name] for one in repetitions]) for name in repetitions[0]}


def as_json(table: dict[str, Spread], repetitions: Sequence[dict[str, float]]) -> dict[str, Any]:
    return {name: {**asdict(spread), "all": [one[name] for one in repetitions]} for name, spread in table.items()}

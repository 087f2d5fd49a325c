"""Summaries of repeated measurements: the median with the least and the greatest, and percentiles."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class MedianRange:
    median: float
    min: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "MedianRange":
        return cls(median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{_short(self.median):>9}  ({_short(self.min)} to {_short(self.max)})"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def median_ranges(repetitions: Sequence[dict[str, float]]) -> dict[str, MedianRange]:
    return {name: MedianRange.of([one[name] for one in repetitions]) for name in repetitions[0]}


def as_json(table: dict[str, MedianRange], repetitions: Sequence[dict[str, float]]) -> dict[str, Any]:
    return {name: {**asdict(values), "all": [one[name] for one in repetitions]} for name, values in table.items()}

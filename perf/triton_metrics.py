"""Reads Triton's metrics."""

from collections.abc import Iterator
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

_SECONDS = 10


def samples(address: str) -> Iterator[Sample]:
    """All samples of ``host:port``. Raises OSError."""
    with urlopen(f"http://{address}/metrics", timeout=_SECONDS) as answer:
        text = answer.read().decode()
    for family in text_string_to_metric_families(text):
        yield from family.samples


def phases(address: str, model: str) -> dict[str, float]:
    """Seconds of each phase of the engine's last start, in a model that says so; nothing for others."""
    return {
        one.labels["phase"]: one.value
        for one in samples(address)
        if one.labels.get("model") == model and "phase" in one.labels and one.name.endswith("_seconds")
    }

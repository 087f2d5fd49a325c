"""Syntheses without a model: what they bring is put into them by hand."""

from typing import NamedTuple
from uuid import UUID

from orchestrator.accounts.requester import Requester
from orchestrator.billing.meter import Source, Uncounted
from orchestrator.speech.admission.admission_controller import AdmissionController
from orchestrator.speech.settings import AdmissionSettings
from orchestrator.speech.synthesis.shared_synthesis import SharedSynthesis, Subscription
from tests.unit.admission.simulation import Encoder

REQUESTER = Requester(account=UUID(int=1), plan="local")


def synthesis(key: str = "key") -> SharedSynthesis:
    """Needs a running event loop."""
    admission = AdmissionController(AdmissionSettings(), deadline=60, slots=lambda _: 1, encoder=Encoder())
    return SharedSynthesis(key, admission.expect("model", REQUESTER, 1.0), lambda _: None)


class Settled(NamedTuple):
    """What a hold was settled on."""

    requester: Requester
    segment_key: str
    source: Source
    seconds: float
    made_seconds: float


class ListMeter:
    """Keeps what is settled."""

    def __init__(self) -> None:
        self.settled: list[Settled] = []

    def hold(self, requester: Requester, *, segment_key: str, model: str, characters: int) -> "ListHold":  # noqa: ARG002
        return ListHold(self, requester, segment_key)

    async def flush(self) -> None:
        pass


class ListHold:
    def __init__(self, meter: ListMeter, requester: Requester, segment_key: str) -> None:
        self._meter = meter
        self._requester = requester
        self._segment_key = segment_key

    def settle(self, source: Source, *, seconds: float, made_seconds: float) -> None:
        self._meter.settled.append(Settled(self._requester, self._segment_key, source, seconds, made_seconds))


def subscribe(made: SharedSynthesis) -> Subscription:
    return made.subscribe(REQUESTER, Uncounted())

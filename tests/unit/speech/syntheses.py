"""Syntheses without a model: what they bring is put into them by hand."""

from uuid import UUID

from orchestrator.speech.admission.controller import AdmissionController, Requester
from orchestrator.speech.settings import AdmissionSettings
from orchestrator.speech.synthesis.shared_synthesis import SharedSynthesis, Subscription
from tests.unit.admission.simulation import Encoder

ASKER = Requester(UUID(int=1))


def synthesis(key: str = "key") -> SharedSynthesis:
    """Needs a running event loop."""
    gate = AdmissionController(AdmissionSettings(), deadline=60, slots=lambda _: 1, encoder=Encoder())
    return SharedSynthesis(key, gate.expect("model", ASKER, 1.0), lambda _: None)


def listen(made: SharedSynthesis) -> Subscription:
    return made.listen(ASKER)

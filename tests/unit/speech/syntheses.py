"""Syntheses without a model: what they bring is put into them by hand."""

from uuid import UUID

from orchestrator.accounts.requester import Requester
from orchestrator.speech.admission.admission_controller import AdmissionController
from orchestrator.speech.settings import AdmissionSettings
from orchestrator.speech.synthesis.shared_synthesis import SharedSynthesis, Subscription
from tests.unit.admission.simulation import Encoder

REQUESTER = Requester(account=UUID(int=1), plan="local")


def synthesis(key: str = "key") -> SharedSynthesis:
    """Needs a running event loop."""
    admission = AdmissionController(AdmissionSettings(), deadline=60, slots=lambda _: 1, encoder=Encoder())
    return SharedSynthesis(key, admission.expect("model", REQUESTER, 1.0), lambda _: None)


def subscribe(made: SharedSynthesis) -> Subscription:
    return made.subscribe(REQUESTER)

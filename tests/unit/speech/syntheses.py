"""Syntheses without a model: what they bring is put into them by hand."""

from uuid import UUID

from orchestrator.settings import AdmissionSettings
from orchestrator.speech.making.gate import Asker, Gate
from orchestrator.speech.making.synthesis import Listening, Synthesis
from tests.unit.gate.hall import Encoder

ASKER = Asker(UUID(int=1))


def synthesis(key: str = "key") -> Synthesis:
    """Needs a running event loop."""
    gate = Gate(AdmissionSettings(), deadline=60, places=lambda _: 1, encoder=Encoder())
    return Synthesis(key, gate.expect("model", ASKER, 1.0), lambda _: None)


def listen(made: Synthesis) -> Listening:
    return made.listen(ASKER)

"""Whose segments are protected: what is listened to while it comes, and not what is merely asked for."""

from contextlib import aclosing
from typing import Any

import numpy as np
import pytest

from lectern.triton import Chunk
from orchestrator.accounts.requester import Requester
from orchestrator.billing.prices import Prices
from orchestrator.guard.reports import Reports
from orchestrator.speech.admission.admission_controller import AdmissionController
from orchestrator.speech.admission.listeners import ListeningPace
from orchestrator.speech.planner.script import Origin, Script, Segment
from orchestrator.speech.service import SpeechService
from orchestrator.speech.settings import AdmissionSettings, SpeechSettings
from orchestrator.speech.synthesis.synthesizer import Synthesizer
from tests.unit.admission.simulation import MODEL, Encoder, live
from tests.unit.speech.syntheses import ListMeter
from tests.unit.speech.test_synthesizer import Nowhere

anyio = pytest.mark.anyio
OWN, DOCUMENT = live("ann"), live("ann", "document")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Model:
    """Speaks a second for each segment."""

    async def speak(self, *_: Any, **__: Any) -> Any:
        yield Chunk(np.ones(10, np.int16), 10, [])


class Speaking:
    def __init__(self) -> None:
        nowhere: Any = Nowhere()
        model: Any = Model()
        self.admission = AdmissionController(AdmissionSettings(), deadline=60, slots=lambda _: 1, encoder=Encoder())
        self.speech = SpeechService(
            synthesizer=Synthesizer(model, nowhere, nowhere, self.admission, ListMeter(), Reports()),
            admission=self.admission,
            cache=nowhere,
            threads=nowhere,
            prices=Prices({}),
            settings=SpeechSettings(),
        )

    async def listeners(self, requester: Requester, count: int, **options: Any) -> list[int]:
        """Returns how many listen after each segment of a response of so many, and after its end."""
        texts = [f"{count} {number} {options}" for number in range(count)]
        segments = [Segment(key=text, text=text, model=MODEL, voice={}, language="en", speed=1.0) for text in texts]
        script = Script(segments, [Origin(text=text) for text in texts], 1)
        async with aclosing(self.speech._chunks(script, requester, self.speech.lengths(script), **options)) as chunks:
            counts = [self._count() async for _ in chunks]
        return [*counts, self._count()]

    def _count(self) -> int:
        return self.admission._listeners.count(MODEL, self.admission._clock())


@anyio
async def test_a_short_text_is_asked_for_and_a_long_one_is_listened_to() -> None:
    assert await Speaking().listeners(OWN, 3) == [0, 0, 0, 0]
    assert await Speaking().listeners(OWN, 5) == [1, 1, 1, 1, 1, 0], "until it ends"


@anyio
async def test_who_reads_by_blocks_listens_also_between_them() -> None:
    assert await Speaking().listeners(DOCUMENT, 1) == [1, 1]
    assert await Speaking().listeners(DOCUMENT, 2) == [1, 1, 0], "a stream has an end"


@pytest.mark.parametrize("requester", [OWN, DOCUMENT])
@anyio
async def test_nobody_listens_to_what_is_made_without_being_sent(requester: Requester) -> None:
    assert await Speaking().listeners(requester, 5, heard=False) == [0] * 6


def test_what_is_taken_sooner_than_it_can_be_heard_is_ahead() -> None:
    now = 100.0
    pace = ListeningPace(lambda: now)
    assert pace.unheard == 0
    pace.take(50)
    assert pace.unheard == 0, "a minute one may have in store"
    pace.take(50)
    assert pace.unheard == 40
    now += 30
    assert pace.unheard == 10
    now += 30
    assert pace.unheard == 0

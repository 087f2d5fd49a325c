"""When the guard recovers a model, and when it leaves one alone."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any

import numpy as np
import pytest

from lectern.triton import Busy, Chunk, DeadlineExceeded, ModelInfo, NotFound, TritonError, Unreachable
from orchestrator.guard.model_guard import ModelGuard
from orchestrator.guard.reports import Reports
from tests.virtual_time import BACKEND

pytestmark = pytest.mark.anyio

MODEL = "hum"
HANGS = object()


@pytest.fixture
def anyio_backend() -> object:
    return BACKEND


class Triton:
    """One model, whose probes end as `script` says, then well. `others` were answered by it meanwhile."""

    def __init__(self) -> None:
        self.script: Iterator[object] = iter(())
        self.parts: dict[str, str] = {}
        self.loaded = True
        self.load_error: TritonError | None = None
        self.others = 0
        self.served = 0
        self.away = False
        self.orders: list[str] = []
        self.probed_at: list[float] = []

    async def speak(self, model: str, _: str, *, deadline: float) -> AsyncGenerator[Chunk, None]:
        self.probed_at.append(asyncio.get_running_loop().time())
        self.served += self.others
        if not self.loaded:
            raise NotFound(model=model)
        end = next(self.script, None)
        if end is HANGS:
            await asyncio.sleep(1000)
        if isinstance(end, DeadlineExceeded):
            for _second in range(int(deadline)):
                await asyncio.sleep(1)
                yield Chunk(np.empty(0, np.int16), 100, [])
        if isinstance(end, Exception):
            raise end
        yield Chunk(np.ones(10, np.int16), 100, [])

    async def models(self, **_: Any) -> list[ModelInfo]:
        self._reach()
        return [ModelInfo(MODEL, "1", "READY" if self.loaded else "UNAVAILABLE", "", self.loaded)]

    async def parameters(self, model: str, **_: Any) -> dict[str, str]:
        if not self.loaded:
            raise NotFound(model=model)
        return self.parts

    async def answered(self, _: str, **__: Any) -> int:
        self._reach()
        return self.served

    async def load(self, model: str, *, timeout: float) -> None:  # noqa: ASYNC109 - the client's signature
        self.orders.append(f"load {model} within {timeout:g}")
        await asyncio.sleep(3)
        if self.load_error is not None:
            raise self.load_error
        self.loaded = True

    async def unload(self, model: str, **_: Any) -> None:
        self.orders.append(f"unload {model}")
        self.loaded = False

    def _reach(self) -> None:
        if self.away:
            raise Unreachable


class Guarded:
    def __init__(self, **options: Any) -> None:
        self.triton = Triton()
        self.reports = Reports(asyncio.get_running_loop().time)
        client: Any = self.triton
        self.guard = ModelGuard(client, self.reports, **options)
        self.task = asyncio.create_task(self.guard.run())

    @property
    def state(self) -> str:
        report = self.reports.get(MODEL)
        return report.state if report else ""

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def guarded() -> AsyncIterator[Guarded]:
    made = Guarded(required={MODEL: ()})
    yield made
    await made.close()


SILENT = DeadlineExceeded(model=MODEL)
BUSY = Busy("the queue is full", model=MODEL)


async def test_a_model_that_speaks_is_left_alone(guarded: Guarded) -> None:
    await asyncio.sleep(60)
    assert guarded.state == "speaks"
    assert guarded.guard.counts == {("speaks", MODEL): len(guarded.triton.probed_at)}
    assert len(guarded.triton.probed_at) == pytest.approx(60 / 2.25, abs=5)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([BUSY] * 1000, id="it is busy for ever"),
        pytest.param([SILENT], id="one silence"),
        pytest.param([HANGS, BUSY, BUSY, BUSY, HANGS, BUSY], id="two silences far apart"),
        pytest.param([Unreachable()] * 100, id="Triton is away"),
    ],
)
async def test_what_lives_is_not_recovered(guarded: Guarded, script: list[object]) -> None:
    guarded.triton.script = iter(script)
    await asyncio.sleep(120)
    assert guarded.triton.orders == []


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([HANGS, HANGS], id="no sign of life"),
        pytest.param([SILENT, SILENT], id="signs of life, but no end"),
        pytest.param([SILENT, None, SILENT], id="one of two processes hangs"),
        pytest.param([TritonError("it failed"), HANGS], id="failures of any kind"),
    ],
)
async def test_a_model_that_does_not_answer_is_recovered_in_bounded_time(
    guarded: Guarded, script: list[object]
) -> None:
    await guarded.reports.wait(lambda: guarded.state == "speaks", 10)
    began = guarded.reports.now()
    guarded.triton.script = iter(script)
    await guarded.reports.wait(lambda: guarded.state == "loading", 1000)
    assert guarded.reports.now() - began < 12
    assert guarded.reports.back_in(MODEL) == 10, "the first guess"
    await guarded.reports.wait(lambda: guarded.state == "speaks", 1000)
    assert guarded.triton.orders == [f"unload {MODEL}", f"load {MODEL} within 120"]
    guarded.triton.script = iter(script)
    await guarded.reports.wait(lambda: guarded.state == "loading", 1000)
    assert guarded.reports.back_in(MODEL) == 3, "as long as the last time"


async def test_a_model_whose_probes_are_not_heard_but_that_answers_others_is_busy(guarded: Guarded) -> None:
    guarded.triton.others = 1
    guarded.triton.script = iter([HANGS] * 1000)
    await asyncio.sleep(120)
    assert guarded.triton.orders == []
    assert guarded.state == "busy"


async def test_a_triton_that_does_not_answer_is_not_a_model_that_hangs(guarded: Guarded) -> None:
    guarded.triton.away = True
    guarded.triton.script = iter([HANGS] * 1000)
    await asyncio.sleep(60)
    assert guarded.triton.orders == []
    assert guarded.state == "unknown"


async def test_a_model_has_limits_of_its_own() -> None:
    guarded = Guarded(required={MODEL: ()})
    guarded.triton.parts = {"probe_timeout": "30", "silence_timeout": "10", "load_timeout": "900"}
    guarded.triton.script = iter([SILENT, SILENT])
    await guarded.reports.wait(lambda: guarded.state == "loading", 1000)
    assert guarded.reports.now() == pytest.approx(32), "30 s for the first probe, 2 s to confirm it"
    await guarded.reports.wait(lambda: guarded.state == "speaks", 1000)
    assert guarded.triton.orders[-1] == f"load {MODEL} within 930"
    await guarded.close()


async def test_a_model_that_is_not_loaded_is_loaded_without_being_ended() -> None:
    guarded = Guarded(required={MODEL: ()}, limits=f"{MODEL}.load=7")
    guarded.triton.loaded = False
    await guarded.reports.wait(lambda: guarded.state == "speaks", 60)
    assert guarded.triton.orders == [f"load {MODEL} within 7"]
    await guarded.close()


async def test_a_load_that_fails_is_told_and_tried_again_ever_more_rarely() -> None:
    guarded = Guarded(required={MODEL: ()})
    guarded.triton.loaded = False
    guarded.triton.load_error = DeadlineExceeded(model=MODEL)
    for failures, pause in enumerate((0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0), start=1):
        await guarded.reports.wait(lambda: guarded.state == "loading", 100)
        await guarded.reports.wait(lambda: guarded.state == "failed", 100)
        report = guarded.reports.get(MODEL)
        assert report is not None
        assert (report.failures, report.late) == (failures, True)
        assert report.back_in == pause + 10
    guarded.triton.load_error = None
    await guarded.reports.wait(lambda: guarded.state == "speaks", 100)
    report = guarded.reports.get(MODEL)
    assert report is not None
    assert report.failures == 0
    await guarded.close()


async def test_what_an_operator_unloads_is_forgotten_and_known_again_when_it_is_back() -> None:
    guarded = Guarded()
    await guarded.reports.wait(lambda: guarded.state == "speaks", 60)
    guarded.triton.loaded = False
    await guarded.reports.wait(lambda: guarded.state == "", 60)
    await asyncio.sleep(60)
    assert guarded.triton.orders == []
    guarded.triton.loaded = True
    await guarded.reports.wait(lambda: guarded.state == "speaks", 60)
    await guarded.close()


async def test_who_may_only_probe_recovers_nothing() -> None:
    guarded = Guarded(recovers=False)
    guarded.triton.script = iter([None, *[HANGS] * 1000])
    await guarded.reports.wait(lambda: guarded.state == "silent", 100)
    await asyncio.sleep(60)
    assert guarded.triton.orders == []
    await guarded.close()

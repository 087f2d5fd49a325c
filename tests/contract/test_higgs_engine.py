"""An engine of its own process that cannot start, dies, hangs or is in trouble, behind a real Triton.

The fake engine does what is asked for in braces (`tests/models/fake_higgs`).
"""

import asyncio
import math
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from lectern.triton import AsyncTriton, Busy, InvalidRequest, ModelFailure, Reference, TritonError
from orchestrator.guard.model_guard import ModelGuard
from orchestrator.guard.reports import Reports
from tests import fake_higgs
from tests.own_triton import LIMIT, OwnTriton, own_triton, until

pytestmark = pytest.mark.long

SENTENCE = "The old lighthouse keeper climbed the steps. "

Make = Callable[..., str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnTriton]:
    folder = tmp_path_factory.mktemp("triton")
    (folder / "models").mkdir()
    with own_triton(folder, folder / "models") as own:
        yield own


@pytest.fixture
def make(server: OwnTriton) -> Iterator[Make]:
    """Makes a model, which is loaded unless the test says otherwise, and is unloaded after it."""
    made: list[str] = []

    def one(*, load: bool = True, **changes: Any) -> str:
        name = f"higgs_{len(list(server.configuration.repository.iterdir()))}"
        fake_higgs.install(server.configuration.repository, name, **changes)
        made.append(name)
        if load:
            server.client.load(name)
        return name

    yield one
    for name in made:
        server.client.unload(name)
        until(lambda name=name: not server.engine_processes(name) and not server.stubs.find(name), "unloaded")  # type: ignore[misc]


def speak(server: OwnTriton, model: str, text: str = SENTENCE, **more: Any) -> int:
    return sum(chunk.audio.size for chunk in server.client.speak(model, text, **more))


def told(orders: str) -> dict[str, Any]:
    return {"voice": {"instructions": orders}}


def speaks(server: OwnTriton, model: str) -> bool:
    try:
        return speak(server, model) > 0
    except Busy:
        return False


def refusal(server: OwnTriton, model: str) -> str:
    with pytest.raises(Busy) as refused:
        speak(server, model)
    return str(refused.value)


def metric(server: OwnTriton, name: str, model: str, **labels: str) -> float:
    wanted = {"model": model, **labels}
    for line in server.metrics().splitlines():
        found = re.fullmatch(r"lectern_engine_(\w+)\{(.*)\} (\S+)", line)
        if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2])) == wanted:
            return float(found[3])
    return math.nan  # it may come yet


def test_a_killed_engine_is_told_at_once_and_then_speaks_again(server: OwnTriton, make: Make) -> None:
    model = make(start=5)
    (stub,) = server.stubs.find(model)
    (engine,) = server.engine_processes(model)
    os.kill(engine, signal.SIGKILL)
    until(lambda: engine not in server.engine_processes(model), "gone")
    with pytest.raises(Busy, match=r"the engine (failed|is starting)"):
        speak(server, model)
    assert not speaks(server, model), "it was told while there was still no engine"
    until(lambda: speaks(server, model), "it speaks again")
    assert server.stubs.find(model) == [stub], "the model's own process goes on"
    assert engine not in server.engine_processes(model)
    until(lambda: metric(server, "restarts_total", model) == 1, "counted")
    until(lambda: metric(server, "up", model) == 1, "said to be up")


@pytest.mark.parametrize(
    ("orders", "error", "reason"),
    [
        ("{exit_after=0}", Busy, "before it had said anything: its process ended"),
        ("{exit_after=3}", ModelFailure, "EngineGone: its process ended"),
    ],
    ids=["nothing was sent", "something was sent"],
)
def test_a_crash_ends_what_it_speaks_by_whether_it_had_begun(
    server: OwnTriton, make: Make, orders: str, error: type[TritonError], reason: str
) -> None:
    model = make()
    begun = threading.Event()

    def another() -> None:
        for chunk in server.client.speak(model, SENTENCE, **told("{delay=0.5}")):
            if chunk.audio.size:
                begun.set()

    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(another)
        assert begun.wait(LIMIT)
        with pytest.raises(error, match=reason):
            speak(server, model, **told(orders))
        with pytest.raises(ModelFailure, match="its process ended"):
            other.result(LIMIT)
    until(lambda: speaks(server, model), "it speaks again")


def test_an_engine_that_hangs_is_found_and_replaced(server: OwnTriton, make: Make) -> None:
    model = make(health_interval=0.2, health_limit=3)
    (engine,) = server.engine_processes(model)
    with pytest.raises(ModelFailure, match=r"has not answered for \d+ s"):
        speak(server, model, **told("{hang_after=2}"))
    until(lambda: speaks(server, model), "it speaks again")
    assert engine not in server.engine_processes(model)


def test_a_stopped_engine_is_found_and_replaced(server: OwnTriton, make: Make) -> None:
    model = make(health_interval=0.2, health_limit=3)
    (engine,) = server.engine_processes(model)
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(speak, server, model, **told("{delay=60}"))
        until(lambda: metric(server, "running", model) == 1, "it is spoken")
        os.kill(engine, signal.SIGSTOP)
        with pytest.raises(Busy, match="before it had said anything: it has not answered"):
            asked.result(LIMIT)
    until(lambda: speaks(server, model), "it speaks again")
    assert engine not in server.engine_processes(model)


def test_an_engine_in_trouble_is_replaced(server: OwnTriton, make: Make) -> None:
    model = make(health_interval=0.2)
    (engine,) = server.engine_processes(model)
    assert speak(server, model, **told("{trouble}"))
    until(lambda: engine not in server.engine_processes(model), "ended")
    until(lambda: speaks(server, model), "it speaks again")
    assert "it is in trouble: RuntimeError: the fake engine is in trouble" in server.log()


def test_a_request_that_stalls_is_given_up_and_the_others_go_on(server: OwnTriton, make: Make) -> None:
    model = make(stall_timeout=3)
    (engine,) = server.engine_processes(model)
    with pytest.raises(ModelFailure, match="no audio came for 3 s"):
        speak(server, model, **told("{stall_after=2}"))
    assert speak(server, model)
    assert server.engine_processes(model) == [engine]
    until(lambda: metric(server, "running", model) == 0, "its place is free")


def test_an_engine_that_fails_at_every_start_is_asked_less_and_less(server: OwnTriton, make: Make) -> None:
    model = make()
    (server.configuration.repository / model / "1" / "fake_driver.py").write_text(
        "raise RuntimeError('broken meanwhile')\n"
    )
    os.kill(server.engine_processes(model)[0], signal.SIGKILL)

    def pauses() -> list[str]:
        return re.findall(r"broken meanwhile\); it is started again in (\d+) s", server.log())

    until(lambda: len(pauses()) >= 2, "two starts failed")
    assert pauses()[:2] == ["2", "4"], "after 1 s for the first failure"
    said = r"failed \(.*broken meanwhile\) and is started again in \d s: try again later"
    until(lambda: re.search(said, refusal(server, model)), "it says so between two starts")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cannot_start": "no GPU here"}, "the engine cannot start: weights: RuntimeError: no GPU here"),
        (
            {"exit_at_start": 3},
            "the engine cannot start: its process ended with status 3; it said last: .*cannot go on",
        ),
        ({"start": 60, "load_timeout": 1}, "the engine cannot start: it was not ready within 1 s"),
        ({"engine": "no_such_driver"}, "the engine cannot start: ModuleNotFoundError: .*no_such_driver"),
        ({"engine_python": "/nowhere/python"}, "no interpreter /nowhere/python .* LECTERN_ENGINE_PYTHON"),
        ({"concurrency": 0}, r"parameter in config.pbtxt .*>= 1.*concurrency"),
        ({"temperature": "warm"}, r"parameter in config.pbtxt .*temperature"),
        ({"default_voice": "nobody"}, "no preset nobody .*high, low"),
        ({"longest_reference": 0.7}, r"the preset high cannot be used: reference_audio is 1\.00 s long"),
    ],
)
def test_what_cannot_start_fails_the_load_with_its_reason(
    server: OwnTriton, make: Make, changes: dict[str, Any], reason: str
) -> None:
    model = make(load=False, **changes)
    with pytest.raises(ModelFailure, match=reason):
        server.client.load(model)
    until(lambda: not server.engine_processes(model), "nothing is left")


@pytest.mark.parametrize("arguments", [None, "[]", "{"])
def test_arguments_that_cannot_be_read_fail_the_load(server: OwnTriton, make: Make, arguments: str | None) -> None:
    model = make(load=False)
    file = server.configuration.repository / model / "1" / "model.json"
    file.unlink() if arguments is None else file.write_text(arguments)
    with pytest.raises(ModelFailure, match=r"model\.json"):
        server.client.load(model)


def test_a_model_without_presets_says_what_to_send_and_is_left_alone(server: OwnTriton, make: Make) -> None:
    model = make(presets=False)
    with pytest.raises(InvalidRequest, match="send reference_audio with reference_rate and reference_text"):
        speak(server, model)
    assert speak(server, model, reference=Reference(fake_higgs.hum(200, 24_000), 24_000, "a hum"))
    watched(server, model, lambda guard: guard.counts["busy", model] >= 2)


def test_the_guard_leaves_an_engine_that_starts_again_to_its_model(server: OwnTriton, make: Make) -> None:
    """To unload and load the model would begin a start of minutes anew."""
    model = make(start=6)
    (stub,) = server.stubs.find(model)
    os.kill(server.engine_processes(model)[0], signal.SIGKILL)
    until(lambda: not speaks(server, model), "it is missed")
    watched(server, model, lambda guard: guard.counts["speaks", model] >= 1 <= guard.counts["busy", model])
    assert server.stubs.find(model) == [stub]


def watched(server: OwnTriton, model: str, condition: Callable[[ModelGuard], bool]) -> None:
    """Runs a guard until this is so; it must not have recovered the model."""

    async def story() -> None:
        async with AsyncTriton(server.configuration.address) as triton:
            guard = ModelGuard(triton, Reports(), required={model: ()}, processes=server.stubs)
            task = asyncio.create_task(guard.run())
            try:
                async with asyncio.timeout(LIMIT):
                    while not condition(guard):  # noqa: ASYNC110 - it has counts, and no event
                        await asyncio.sleep(0.05)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            events = {event for event, name in guard.counts if name == model}
            assert not events & {"silent", "dead", "missing", "recovered"}

    asyncio.run(story())


def test_v3_takes_no_scene_and_needs_no_transcript(server: OwnTriton, make: Make) -> None:
    model = make(family="v3")
    card = server.client.card(model)
    assert not card.previous
    assert not card.instructions
    hum = fake_higgs.hum(200, 24_000)
    assert speak(server, model, reference=Reference(hum, 24_000))
    with pytest.raises(InvalidRequest, match="takes no instructions"):
        speak(server, model, voice={"instructions": "Whisper."})
    with pytest.raises(InvalidRequest, match="does not go on from previous audio"):
        speak(server, model, previous=Reference(hum, 24_000, "a hum"))


def test_an_engine_that_does_not_stream_comes_in_small_pieces_too(server: OwnTriton, make: Make) -> None:
    model = make(streams=False)
    *everything, last = [chunk.audio.size for chunk in server.client.speak(model, SENTENCE * 4)]
    assert last == 0
    chunks = [size for size in everything if size]
    assert chunks[0] == 2_400
    assert max(chunks) == 24_000
    assert sum(chunks) == speak(server, make(), SENTENCE * 4)


def test_a_text_that_cannot_fit_is_refused_and_one_that_did_not_fails(server: OwnTriton, make: Make) -> None:
    model = make(most_frames=100)
    with pytest.raises(InvalidRequest, match=r"135 characters long, and this model speaks 4 s at most"):
        speak(server, model, SENTENCE * 3)
    with pytest.raises(ModelFailure, match=r"not come to the end of the text after 100 frames \(4\.00 s\)"):
        speak(server, model, SENTENCE * 2)
    assert speak(server, model, "Hello there.")


def test_a_full_queue_refuses_at_once(server: OwnTriton, make: Make) -> None:
    model = make(concurrency=2, live_queue=3)

    async def story() -> list[int]:
        async with AsyncTriton(server.configuration.address) as triton:

            async def one(**more: Any) -> int:
                return sum([chunk.audio.size async for chunk in triton.speak(model, SENTENCE, **more)])

            def come(count: int, **more: Any) -> list[asyncio.Task[int]]:
                return [asyncio.create_task(one(**more)) for _ in range(count)]

            spoken = come(2, **told("{delay=60}"))
            await asyncio.to_thread(until, lambda: metric(server, "running", model) == 2, "the engine has its share")
            waiting = come(3)
            queued = partial(metric, server, "queue", model, lane="live")
            await asyncio.to_thread(until, lambda: queued() == 3, "they wait")
            with pytest.raises(Busy, match="the live queue is full"):
                await one()
            for task in spoken:
                task.cancel()
            return await asyncio.gather(*waiting)

    assert len(set(asyncio.run(story()))) == 1


def test_metrics_tell_how_it_goes(server: OwnTriton, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lectern.triton.sync.DEADLINE_GRACE", 30.0)  # it is the model that says so
    model = make(start=0.2)
    samples = speak(server, model)
    with pytest.raises(Busy, match="deadline"):
        speak(server, model, **told("{delay=0.5}"), deadline=3)
    until(lambda: metric(server, "aborted_total", model) == 1, "the deadline aborted one")
    until(lambda: metric(server, "first_audio_seconds_count", model) == 2, "both had begun")
    assert metric(server, "first_audio_seconds_bucket", model, le="+Inf") == 2
    assert metric(server, "audio_seconds_total", model) == pytest.approx(samples / 24_000)
    assert metric(server, "real_time_factor_count", model) == 1
    assert 0 < metric(server, "real_time_factor_sum", model) < 1
    weights = metric(server, "start_seconds", model, phase="weights")
    assert weights >= 0.2
    assert metric(server, "start_seconds", model, phase="warm-up") >= 0
    assert metric(server, "start_seconds", model, phase="total") >= 0.2
    for lane in ("live", "batch"):
        assert metric(server, "queue", model, lane=lane) == 0
    assert metric(server, "restarts_total", model) == 0
    assert f"start of the engine: weights took {weights:.2f} s" in server.log()
    server.client.unload(model)
    until(lambda: f'model="{model}"' not in re.sub(r"nv_\S+", "", server.metrics()), "its metrics went with it")


def test_unloading_lets_it_finish_and_leaves_no_process(server: OwnTriton, make: Make) -> None:
    model = make()
    with ThreadPoolExecutor(1) as thread:
        spoken = thread.submit(speak, server, model, **told("{delay=0.05}"))
        until(lambda: metric(server, "running", model) == 1, "it is spoken")
        server.client.unload(model)
        assert spoken.result(LIMIT) > 4 * 24_000
    until(lambda: not server.engine_processes(model) and not server.stubs.find(model), "nothing is left")


def test_an_engine_ends_with_the_models_process(server: OwnTriton, make: Make) -> None:
    model = make()
    (stub,) = server.stubs.find(model)
    assert server.engine_processes(model)
    stub.kill()
    until(lambda: not server.engine_processes(model), "nothing is left")


def test_two_models_have_their_metrics_side_by_side(server: OwnTriton, make: Make) -> None:
    first, second = make(), make()
    for model in (first, second):
        assert speak(server, model)
        until(lambda model=model: metric(server, "audio_seconds_total", model) > 0, "counted")  # type: ignore[misc]
    server.client.unload(first)
    until(lambda: math.isnan(metric(server, "up", first)), "gone")
    assert speak(server, second)
    until(lambda: metric(server, "first_audio_seconds_count", second) == 2, "counted on")

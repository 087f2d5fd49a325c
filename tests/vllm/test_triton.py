"""The real engine behind a real Triton: over gRPC, over REST, and after a part of it was killed."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import pytest

from lectern.triton import AsyncTriton, Busy, Chunk, Reference, TritonError
from tests.fake_higgs import set_parameter, write_preset
from tests.higgs.recordings import RATE, tone
from tests.higgs.texts import NEVER
from tests.own_triton import OwnTriton, own_triton, until
from tests.stack import started_stack, temporary_home
from tests.vllm.deployment import SHIPPED, arguments, written
from tests.vllm.engine import LIMIT, START, alike

FRAME = 960  # samples
LOADS = 240.0  # seconds, of which an engine takes a third on two cores
TEXT = "The old lighthouse keeper climbed the steps."
ENDLESS = f"{NEVER} {TEXT * 3}"
PRESETS = {"high": 330, "low": 110}  # Hz; the first speaks when none is asked for
BLOCKS = ["It was a dark night.", "The rain fell.", "Nobody spoke.", "A door: it opened, slowly.", "Then nothing."]

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Higgs:
    """A loaded model."""

    family: str
    server: OwnTriton

    @property
    def name(self) -> str:
        return f"higgs_{self.family}"

    def chunks(self, text: str = TEXT, **more: Any) -> list[Chunk]:
        return list(self.server.client.speak(self.name, text, **more))

    def heard(self, text: str = TEXT, **more: Any) -> Samples:
        return sound(self.chunks(text, **more))

    def speaks(self) -> bool:
        try:
            return self.heard().size > 0
        except TritonError:
            return False

    def processes(self) -> list[int]:
        return self.server.engine_processes(self.name)

    def figure(self, name: str) -> float:
        return self.server.engine_metric(name, self.name)


@pytest.fixture(scope="module", params=["v2", "v3"])
def higgs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, python: str) -> Iterator[Higgs]:
    """One after the other: each takes gigabytes."""
    folder = tmp_path_factory.mktemp("triton")
    name = f"higgs_{request.param}"
    _install(folder / "models" / name, request.param, request.getfixturevalue(f"tiny_{request.param}"), python)
    with own_triton(folder, folder / "models", {name: LOADS}) as server:
        made = Higgs(request.param, server)
        yield made
        server.client.unload(made.name)
        until(lambda: not made.processes(), "the engine has ended", LIMIT)


def _install(folder: Path, family: str, checkpoint: Path, python: str) -> None:
    (folder / "1").mkdir(parents=True)
    config = (SHIPPED.parent / "config.pbtxt").read_text().replace('name: "higgs"', f'name: "{folder.name}"')
    for key, value in {"engine_python": python, "most_frames": "600"}.items():
        config = set_parameter(config, key, value)
    (folder / "config.pbtxt").write_text(config)
    written(folder / "1" / "model.json", arguments(family, checkpoint, folder / "1"))
    for preset, hertz in PRESETS.items():
        write_preset(folder / "presets" / preset, recording(hertz), RATE)


def recording(hertz: float) -> Samples:
    return np.frombuffer(tone(hertz, 1.5), "<i2").astype(np.int16)


def reference(hertz: float) -> Reference:
    return Reference(recording(hertz), RATE, "A hum.")


def sound(chunks: list[Chunk]) -> Samples:
    return np.concatenate([chunk.audio for chunk in chunks])


def test_the_card(higgs: Higgs) -> None:
    card = higgs.server.client.card(higgs.name)
    assert (card.sample_rate, card.references, card.seed) == (RATE, True, True)
    assert (card.previous, card.instructions) == ((True, True) if higgs.family == "v2" else (False, False))
    assert [voice.name for voice in card.voices] == list(PRESETS)


def test_plain(higgs: Higgs) -> None:
    chunks = higgs.chunks()
    audio = sound(chunks)
    marks = [mark for chunk in chunks for mark in chunk.marks]
    assert audio.size > 0
    assert audio.size % FRAME == 0
    assert [TEXT[mark.text_start : mark.text_end] for mark in marks] == [word.strip(".") for word in TEXT.split()]
    assert marks[-1].last_sample <= audio.size
    if higgs.family == "v3":
        assert next(chunk.audio.size for chunk in chunks if chunk.audio.size) == FRAME


def test_cloned(higgs: Higgs) -> None:
    high, low = (higgs.heard(reference=reference(hertz)) for hertz in (220, 140))
    assert not np.array_equal(high, low)
    assert np.array_equal(high, higgs.heard(reference=reference(220)))


def test_a_preset_is_a_reference_like_any_other(higgs: Higgs) -> None:
    low = higgs.heard(voice={"preset": "low"})
    assert np.array_equal(low, higgs.heard(reference=reference(PRESETS["low"])))
    assert not np.array_equal(low, higgs.heard())


def test_blocks_sound_alike_in_company(higgs: Higgs) -> None:
    voices: list[dict[str, Any]] = [{"voice": {"preset": "low"}}, {"reference": reference(220)}, {}]
    asked = [{"text": text, **voices[number % 3]} for number, text in enumerate(BLOCKS)]
    alone = [higgs.heard(**each) for each in asked]

    async def together() -> list[Samples]:
        async with AsyncTriton(higgs.server.configuration.address) as client:

            async def one(number: int) -> Samples:
                await asyncio.sleep(0.2 * number)
                return sound([chunk async for chunk in client.speak(higgs.name, **asked[number])])

            return await asyncio.gather(*map(one, range(len(asked))))

    for number, (one, other) in enumerate(zip(alone, asyncio.run(together()), strict=True)):
        assert alike(one, other), f"block {number}"


def test_left_in_the_middle(higgs: Higgs) -> None:
    whole = higgs.heard()
    aborted = higgs.figure("aborted_total")
    with closing(higgs.server.client.speak(higgs.name, ENDLESS)) as chunks:
        next(chunks)  # of v2, which is made whole, a sign of life
    assert np.array_equal(higgs.heard(), whole)
    until(lambda: higgs.figure("aborted_total") == aborted + 1, "the engine has aborted it", LIMIT)


def test_over_rest(higgs: Higgs) -> None:
    # On a CPU even a word takes long.
    patience = {"LECTERN_PROBE_TIMEOUT": "45", "LECTERN_PROOF_STALE_SECONDS": "300"}
    given = {"TRITON_URL": higgs.server.configuration.address, "LECTERN_DEFAULT_MODEL": higgs.name, **patience}
    with temporary_home() as home, started_stack(home, **given) as stack, stack.http() as api:

        def spoken(voice: str) -> bytes:
            body = {"model": higgs.name, "voice": voice, "input": TEXT, "response_format": "pcm"}
            answer = api.post("/v1/audio/speech", json=body, timeout=httpx.Timeout(LIMIT))
            assert answer.status_code == 200, answer.text
            return answer.content

        high, low = spoken("high"), spoken("low")
        assert len(high) > RATE
        assert high != low


def test_a_part_of_the_engine_is_killed_and_it_speaks_again(higgs: Higgs) -> None:
    if higgs.family == "v3":
        pytest.skip("v2 has shown it, and a start takes minutes")
    before = higgs.heard()
    engine, *parts = higgs.processes()
    os.kill(parts[-1], signal.SIGKILL)
    with pytest.raises((Busy, TritonError)):
        until(lambda: not higgs.heard().size, "it says that it cannot", LIMIT)
    until(higgs.speaks, "it speaks again", START)
    assert engine not in higgs.processes()
    assert np.array_equal(higgs.heard(), before)
    assert higgs.figure("restarts_total") == 1

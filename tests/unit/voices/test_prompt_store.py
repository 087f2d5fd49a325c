"""Recordings in the store and in memory."""

from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from orchestrator.audio.pcm import Samples
from orchestrator.lib.errors.problems import NotFound
from orchestrator.lib.ids import new_id
from orchestrator.lib.object_store import Store
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.voices.custom.prompt_store import PromptStore

pytestmark = pytest.mark.anyio

SECOND = 24_000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path.as_uri())


def sound(seed: int) -> Samples:
    return np.random.default_rng(seed).integers(-3_000, 3_000, SECOND, np.int16)


async def stored(prompts: PromptStore, seed: int) -> UUID:
    voice = new_id()
    await prompts.write(voice, await prompts.encode(sound(seed)))
    return voice


async def test_a_stored_recording_comes_back_bit_by_bit(store: Store, threads: PriorityThreads) -> None:
    prompts = PromptStore(store, threads, 1 << 20)
    voice = await stored(prompts, 1)
    for _ in range(2):
        assert np.array_equal(await prompts.samples(voice), sound(1))
    assert not (await prompts.samples(voice)).flags.writeable


async def test_memory_holds_the_recordings_used_last(store: Store, threads: PriorityThreads) -> None:
    prompts = PromptStore(store, threads, 2 * sound(0).nbytes)
    first, second, third = [await stored(prompts, seed) for seed in range(3)]
    held = {voice: await prompts.samples(voice) for voice in (first, second)}
    assert await prompts.samples(first) is held[first]
    await prompts.samples(third)
    assert await prompts.samples(first) is held[first]
    assert await prompts.samples(second) is not held[second]


async def test_without_memory_everything_is_read(store: Store, threads: PriorityThreads) -> None:
    prompts = PromptStore(store, threads, 0)
    voice = await stored(prompts, 1)
    assert await prompts.samples(voice) is not await prompts.samples(voice)


async def test_a_deleted_recording_is_gone_from_memory_too(store: Store, threads: PriorityThreads) -> None:
    prompts = PromptStore(store, threads, 1 << 20)
    voice = await stored(prompts, 1)
    held = await prompts.samples(voice)
    await prompts.delete(voice)
    with pytest.raises(NotFound, match="gone"):
        await prompts.samples(voice)
    assert np.array_equal(held, sound(1))  # whoever has it goes on
    await prompts.delete(voice)
    other = await stored(prompts, 2)
    assert set(await prompts.list_all()) == {other}

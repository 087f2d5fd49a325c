"""A server under mixed load does not grow: it and its model processes end as large as they were once warm."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from lectern.triton import AsyncTriton, InvalidRequest
from perf.machine import pid_listening_on
from tests import kokoro

pytestmark = pytest.mark.long

ROUNDS = 12
WARM = 2  # rounds
LOOK = 4  # rounds, of which the smallest size counts: ONNX Runtime's comes and goes by 80,000 kB
REQUESTS = 20
# In the six rounds from one look to the other; a process that kept all audio would grow by 14,000 kB in each of them.
ALLOWED_KB = 40_000

SENTENCES = (
    "Yes.", "The ferry left at 7:45 pm, and nobody saw it go.", "It cost $12.50, or 3/4 of all that he had left.",
    "Why? Because the road was closed. It had been closed since 2025-03-14, the guide said, and it would stay so.",
    "When the rain had stopped at last, they walked along the river and over the old bridge to the mill beyond it.",
)  # fmt: skip
VOICES = [{"voice": name} for name in kokoro.VOICES] + [
    {"mix": {"af_heart": weight, "bf_emma": 1}} for weight in range(1, 4)
]


def memory(server: int) -> dict[str, int]:
    """The resident kB of a Triton and of each of its model processes, by the process id."""
    sizes = {}
    for child in (server, *children(server)):
        for line in Path(f"/proc/{child}/status").read_text().splitlines():
            # Not the shared memory that requests lie in, which grows to its largest and is used again.
            if line.startswith("RssAnon:"):
                sizes[str(child)] = int(line.split()[1])
    return sizes


def children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for number in (task / "children").read_text().split():
            yield int(number)
            yield from children(int(number))


async def load(triton: AsyncTriton, chance: random.Random) -> None:
    async def one(number: int) -> None:
        text = " ".join(chance.sample(SENTENCES, chance.randint(1, 3)))
        speed = chance.choice([0.5, 1.0, 1.3, 3.0])
        chunks = triton.speak("kokoro", text, voice=chance.choice(VOICES), speed=speed, language="en")
        if number % 10 == 9:
            await anext(chunks)
            await chunks.aclose()
            with pytest.raises(InvalidRequest):
                [chunk async for chunk in triton.speak("kokoro", text, language="xx")]
        else:
            assert [chunk async for chunk in chunks]

    waiting = list(range(REQUESTS))

    async def client() -> None:
        while waiting:
            await one(waiting.pop())

    await asyncio.gather(*(client() for _ in range(8)))


def growth(sizes: list[int]) -> int:
    """Returns by how much the last rounds of a process are above its first ones."""
    return min(sizes[-LOOK:]) - min(sizes[WARM : WARM + LOOK])


def test_it_does_not_grow(triton_address: str) -> None:
    async def story() -> list[dict[str, int]]:
        server = pid_listening_on(triton_address)
        chance = random.Random(3)
        rounds = []
        async with AsyncTriton(triton_address) as triton:
            for _ in range(ROUNDS):
                await load(triton, chance)
                rounds.append(memory(server))
        return rounds

    rounds = asyncio.run(story())
    assert len(rounds[0]) > 1, "the model processes are not among them"
    sizes = {process: [sizes[process] for sizes in rounds] for process in rounds[0]}
    assert {process: own for process, own in sizes.items() if growth(own) > ALLOWED_KB} == {}

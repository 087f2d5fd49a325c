"""Compares Kokoro in bare ONNX Runtime, in PyTorch, in Triton and through REST: ``python -m perf.kokoro``."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput

from lectern.triton import AsyncTriton
from lectern.triton.channel import call_metadata
from perf.http_client import Answer, checked
from perf.machine import cpu_seconds, machine
from perf.stack import Stack, find_stack
from perf.summary_statistics import MedianRange
from perf.texts import KINDS, text, workloads

ROOT: Final = Path(__file__).parents[1]
RATE: Final = 24_000
VOICE: Final = "af_heart"
WAV_HEADER: Final = 44
CONCURRENCY: Final = (1, 2, 8)
ALONE: Final[tuple[str, ...]] = ("floor", "upstream")  # ways without a server
WAYS: Final = (*ALONE, "triton", "rest")
PATIENCE: Final = 120.0  # seconds in which a request must be admitted

Speak = Callable[[str], Awaitable[int]]


class WithoutServer:
    """The process that speaks without a server."""

    def __init__(self, repository: Path, weights: str) -> None:
        """Raises LookupError where its environment is not."""
        python = ROOT / ".venvs/export/bin/python"
        if not python.exists():
            raise LookupError(f"There is no {python}: run `make .venvs/export/.ready`, or give --ways triton,rest.")
        self._process = subprocess.Popen(
            [python, "-W", "ignore", "-m", "perf.kokoro_without_server", repository / "kokoro_acoustic/1/model.onnx",
             repository / f"kokoro/voices/{VOICE}.bin", "tiny" if weights == "tiny" else "full"],
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'docker/models'}"}, cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def measure(self, way: str, sentences: list[list[int]]) -> dict[str, float]:
        """Raises RuntimeError if the process has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"way": way, "sentences": sentences}), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"perf.kokoro_without_server ended with {self._process.wait()} while it measured {way}.")
        return dict(json.loads(answer))

    def close(self) -> None:
        self._process.communicate()


def phonemes(address: str, texts: list[str]) -> list[list[int]]:
    """Returns the ids of all sentences of the texts, as the kokoro model gets them."""
    client = InferenceServerClient(address)
    headers = dict(call_metadata(address, os.environ.get("TRITON_SECRET")))
    found = []
    for one in texts:
        start: int | None = 0
        while start is not None:
            inputs = [InferInput("text", [1], "BYTES"), InferInput("language", [1], "BYTES")]
            for tensor, value in zip(inputs, (one, "en-US"), strict=True):
                tensor.set_data_from_numpy(np.array([value.encode()], np.object_))
            inputs.append(InferInput("start", [1], "INT32"))
            inputs[-1].set_data_from_numpy(np.array([start], np.int32))
            answer = client.infer("kokoro_g2p", inputs, headers=headers).as_numpy("sentence")
            assert answer is not None
            sentence = json.loads(answer[0])
            found.append(sentence["ids"])
            start = sentence["next"]
    client.close()
    return found


async def ask_until_admitted(stack: Stack, body: bytes) -> tuple[Answer, int]:
    """Asks for speech as a client does, again when told to; returns the answer and the number of refusals before it.

    Admission refuses what would wait too long, with a time to come back. Raises RuntimeError for any other refusal,
    and if the request is still refused after PATIENCE.
    """
    until = time.monotonic() + PATIENCE
    for refused in count():
        async with stack.connection() as connection:
            answer = await connection.ask("POST", "/v1/audio/speech", body)
        wait = answer.headers.get("retry-after")
        if answer.status not in (429, 503) or wait is None or time.monotonic() + float(wait) > until:
            return checked(answer), refused
        await asyncio.sleep(float(wait))
    raise AssertionError


async def served(stack: Stack, way: str, texts: list[str], concurrency: int) -> dict[str, float]:
    """Speaks the texts, ``concurrency`` at a time."""
    refusals = 0
    waiting = list(reversed(texts))
    pids = [stack.processes[name] for name in (("triton", "orchestrator") if way == "rest" else ("triton",))]

    async def work(speak: Speak) -> int:
        samples = 0
        while waiting:
            samples += await speak(waiting.pop())
        return samples

    cpu, wall = sum(map(cpu_seconds, pids)), time.perf_counter()
    async with AsyncTriton(stack.triton) as triton:

        async def direct(one: str) -> int:
            return sum([chunk.audio.size async for chunk in triton.speak("kokoro", one, voice={"voice": VOICE})])

        async def rest(one: str) -> int:
            nonlocal refusals
            body = {"model": "kokoro", "voice": VOICE, "input": one, "response_format": "wav"}
            answer, refused = await ask_until_admitted(stack, msgspec.json.encode(body))
            refusals += refused
            return (len(answer.body) - WAV_HEADER) // 2

        samples = sum(await asyncio.gather(*(work(rest if way == "rest" else direct) for _ in range(concurrency))))
    wall, cpu = time.perf_counter() - wall, sum(map(cpu_seconds, pids)) - cpu
    return {"audio": samples / RATE, "wall": wall, "cpu": cpu, "refused": refusals}


async def first_audio(stack: Stack) -> tuple[float, float]:
    """Returns the seconds until the first audio of a long text, and of its first sentence alone."""
    found = []
    async with AsyncTriton(stack.triton) as triton:
        long = text(8)
        for one in (long, long[: long.index(".") + 1]):
            began = time.perf_counter()
            first = 0.0
            async for chunk in triton.speak("kokoro", one, voice={"voice": VOICE}):
                first = first or (time.perf_counter() - began if chunk.audio.size else 0.0)
            found.append(first)
    return found[0], found[1]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        report = measured(find_stack(options.url, options.key, options.triton), options)
    except (LookupError, OSError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def measured(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    """Raises LookupError for what is not there, OSError, and RuntimeError for what does not speak."""
    card = json.loads((options.repository / "kokoro/card.json").read_text())
    report: dict[str, Any] = {"machine": machine(), "card": card}
    print("machine: " + ", ".join(f"{name} {value}" for name, value in report["machine"].items()))
    ways = options.ways.split(",")
    with ExitStack() as open_things:
        bare = None
        if set(ways) & set(ALONE):
            bare = WithoutServer(options.repository, card["weights"])
            open_things.callback(bare.close)
        report["throughput"] = _throughput(
            stack, bare, ways, options.kinds.split(","), options.sentences, options.repetitions
        )
    pairs = [asyncio.run(first_audio(stack)) for _ in range(2 * options.repetitions + 1)]
    late = [1_000 * (long - alone) for long, alone in pairs]
    print(f"\nfirst audio of a long text, ms {MedianRange.of([1_000 * long for long, _ in pairs])}")
    print(f"later than its first sentence alone, ms {MedianRange.of(late)}")
    report["first_audio_ms"] = {"long": [1_000 * long for long, _ in pairs], "later_than_alone": late}
    return report


def _throughput(
    stack: Stack, bare: WithoutServer | None, asked: list[str], kinds: list[str], sentences: int, repetitions: int
) -> dict[str, Any]:
    ways = [way for way in ALONE if way in asked]
    ways += [f"{way} x{number}" for number in CONCURRENCY for way in ("triton", "rest") if way in asked]
    table: dict[str, Any] = {}
    asyncio.run(served(stack, "rest", [text(1)], 1))  # warms everything up
    for way in ways:
        if way in ALONE:
            assert bare is not None
            bare.measure(way, phonemes(stack.triton, [text(1)]))
    for kind in kinds:
        results: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
        for number in range(repetitions):
            for way in ways[number % len(ways) :] + ways[: number % len(ways)]:
                texts = dict(workloads(sentences))[kind]
                if way in ALONE:
                    assert bare is not None
                    results[way].append(bare.measure(way, phonemes(stack.triton, texts)))
                else:
                    name, _, count = way.partition(" x")
                    results[way].append(asyncio.run(served(stack, name, texts, int(count))))
        table[kind] = results
        print(f"\n{kind}: audio seconds for each second, and for each second of processor time", flush=True)
        for way, runs in results.items():
            by_wall = MedianRange.of([run["audio"] / run["wall"] for run in runs])
            by_cpu = MedianRange.of([run["audio"] / run["cpu"] for run in runs])
            refused = sum(run.get("refused", 0) for run in runs)
            print(f"  {way:12} {by_wall}   {by_cpu}" + (f"   refused at first: {refused:.0f}" if refused else ""))
    return table


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url")
    parser.add_argument("--key")
    parser.add_argument("--triton")
    parser.add_argument("--repository", type=Path, default=ROOT / "model_repository", help="where Kokoro is installed")
    parser.add_argument("--ways", default=",".join(WAYS), help="of speaking, with commas between them")
    parser.add_argument("--kinds", default=",".join([*KINDS, "mixed"]), help="of texts, with commas between them")
    parser.add_argument("--sentences", type=int, default=12, help="in each measurement")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--json", type=Path, help="keep all figures in this file")
    options = parser.parse_args(arguments)
    for name, known in (("ways", WAYS), ("kinds", (*KINDS, "mixed"))):
        if unknown := set(getattr(options, name).split(",")) - set(known):
            parser.error(f"--{name} has no {', '.join(sorted(unknown))}: there are {', '.join(known)}")
    if min(options.sentences, options.repetitions) <= 0:
        parser.error("--sentences and --repetitions must be positive")
    return options


if __name__ == "__main__":
    sys.exit(main())

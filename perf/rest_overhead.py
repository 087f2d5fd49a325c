"""Measures what Lectern adds to the model, on a running stack: ``python -m perf.rest_overhead``."""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from lectern.triton import AsyncTriton, CardVoice
from perf.cached_audio import targets
from perf.machine import machine
from perf.rest_versus_grpc import Comparison
from perf.stack import Stack, find_stack
from perf.summary_statistics import MedianRange, as_json, median_ranges
from perf.texts import one_segment_texts

IDLE_SECONDS: Final = 5


def main() -> int:
    options = _options()
    try:
        stack = find_stack(options.url, options.key, options.triton)
        report = asyncio.run(measure(stack, options))
    except (LookupError, OSError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=2) + "\n")
    return 0


async def measure(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    report: dict[str, Any] = {"machine": machine(), "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    print("machine: " + ", ".join(f"{name} {value}" for name, value in report["machine"].items()))
    report["idle"] = await _idle(stack)
    print("at rest, ms of processor time for each second: ", end="")
    print(", ".join(f"{name} {value:.1f}" for name, value in report["idle"].items()))
    voice = await _voice(stack, options.model, options.voice)
    for concurrency in (1, options.concurrency):
        title = f"speaking, {concurrency} at a time"
        comparison = Comparison(stack, options.model, voice, concurrency)
        await comparison.check_same()
        await comparison.repeat(one_segment_texts(concurrency), rest_first=True)  # warms both ways up
        repetitions = [
            await comparison.repeat(one_segment_texts(options.requests), rest_first=number % 2 == 0)
            for number in range(options.repetitions)
        ]
        report[title] = _show(f"{title} (ms; cpu: ms for each request)", repetitions)
    repetitions = []
    async with targets(stack) as (servers, audio):
        for number in range(options.repetitions):
            measured: dict[str, float] = {}
            for server in servers[number % len(servers) :] + servers[: number % len(servers)]:
                measured |= await server.load(options.seconds, options.concurrency, audio)
            lectern = measured["lectern_per_cpu_second"]
            measured["lectern_share_of_uvicorn"] = lectern / measured["uvicorn_per_cpu_second"]
            repetitions.append(dict(sorted(measured.items())))
    title = f"GETs of stored audio, {len(audio)} bytes, {options.concurrency} at a time"
    report[title] = _show(title, repetitions)
    return report


async def _idle(stack: Stack) -> dict[str, float]:
    """Probes and timers run all the time and are part of every figure below."""
    before = stack.cpu()
    await asyncio.sleep(IDLE_SECONDS)
    after = stack.cpu()
    return {name: 1000 * (after[name] - before[name]) / IDLE_SECONDS for name in before}


async def _voice(stack: Stack, model: str, name: str) -> CardVoice:
    async with AsyncTriton(stack.triton) as triton:
        card = await triton.card(model)
    for voice in card.voices:
        if voice.name == name:
            return voice
    raise LookupError(f"The model {model} has no voice {name}.")


def _show(title: str, repetitions: list[dict[str, float]]) -> dict[str, Any]:
    table: dict[str, MedianRange] = median_ranges(repetitions)
    print(f"\n{title}: median of {len(repetitions)} repetitions (least to most)")
    for name, values in table.items():
        print(f"  {name:40} {values}")
    return as_json(table, repetitions)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m perf.rest_overhead", description=__doc__)
    parser.add_argument("--url", help="the REST API; default: the stack that runs in LECTERN_HOME")
    parser.add_argument("--key", help="API key; default: the one in LECTERN_HOME")
    parser.add_argument("--triton", help="address of Triton's gRPC; default: that of the stack in LECTERN_HOME")
    parser.add_argument("--model", default="espeak")
    parser.add_argument("--voice", default="en-us")
    parser.add_argument("--requests", type=int, default=100, help="speech requests each way in a repetition")
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each server sends stored audio")
    parser.add_argument("--json", metavar="FILE", help="write all figures here")
    options = parser.parse_args()
    if min(options.requests, options.concurrency, options.repetitions, options.seconds) <= 0:
        parser.error("--requests, --concurrency, --repetitions and --seconds must be positive")
    return options


if __name__ == "__main__":
    sys.exit(main())

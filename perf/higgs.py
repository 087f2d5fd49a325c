"""Compares Higgs Audio on vLLM-Omni with plain transformers, by concurrency: ``python -m perf.higgs``."""

import argparse
import asyncio
import json
import random
import sys
import wave
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from lectern import local_stack
from lectern.triton import AsyncTriton, Reference, SpeakOptions, TritonError
from perf.grpc_load import Load, speak_all
from perf.idle_gpu import TOTAL, break_even, cold_seconds
from perf.machine import machine, pid_listening_on
from perf.memory import MIB, Peak, engines, gpu_bytes, gpus, resident, tree
from perf.texts import SENTENCES, WORDS

MODELS: Final = ("higgs", "higgs_baseline")
CONCURRENCY: Final = (1, 2, 4, 8, 16)
METRICS_SECONDS: Final = 10
WARM_UP: Final = "The first words of a model take longer than all that come after."


def texts(count: int, sentences: int, seed: int) -> list[str]:
    """Returns the same texts for the same seed: models are compared by the same words, and nothing caches them here."""
    chance = random.Random(seed)
    return [
        " ".join(chance.choice(SENTENCES).format(*chance.sample(WORDS, 3)) for _ in range(sentences))
        for _ in range(count)
    ]


def memory_of(triton: int | None) -> dict[str, int]:
    """Returns the bytes that Triton with all its models holds, and each engine process, in RAM and on GPUs."""
    if triton is None:
        return {}
    found = {"triton": resident(tree(triton))}
    for driver, pids in engines(triton).items():
        found |= {driver: resident(pids), f"{driver} on the GPU": gpu_bytes(pids)}
    return found | {"all GPUs": sum(gpu["used_mib"] for gpu in gpus()) * MIB}


def start_phases(address: str, model: str) -> dict[str, float]:
    """Reads from Triton's metrics at ``host:port`` the seconds of each phase of the engine's last start.

    Returns nothing for a model that does not report them. Raises OSError.
    """
    with urlopen(f"http://{address}/metrics", timeout=METRICS_SECONDS) as answer:
        text = answer.read().decode()
    return {
        sample.labels["phase"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("model") == model and "phase" in sample.labels and sample.name.endswith("_seconds")
    }


async def measure(
    address: str, model: str, options: SpeakOptions, said: Sequence[str], concurrency: int, triton: int | None
) -> dict[str, Any]:
    async with Peak(partial(memory_of, triton)) as peak:
        load = await speak_all(address, model, said, concurrency, options)
    return load.summary() | {"concurrency": concurrency, "memory": peak.values}


async def loaded_models(address: str, wanted: Sequence[str]) -> list[str]:
    """Returns the models that are loaded and keep the speech contract."""
    async with AsyncTriton(address) as triton:
        loaded = {one.name for one in await triton.models() if one.speaks}
    return [model for model in wanted if model in loaded]


async def options_for(address: str, model: str, voice: str, reference: Reference | None) -> SpeakOptions:
    """Returns options for the reference, or for the model's voice of that name. Raises InvalidRequest if unknown."""
    if reference is not None:
        return {"voice": {}, "reference": reference}
    async with AsyncTriton(address) as triton:
        card = await triton.card(model)
    return {"voice": card.voice(voice).voice if voice else {}}


def read_reference(file: Path, text: str) -> Reference:
    """Raises ValueError unless it is a WAV file, mono, of 16 bits."""
    with wave.open(str(file)) as audio:
        if (audio.getnchannels(), audio.getsampwidth()) != (1, 2):
            raise ValueError(f"{file} must be mono and of 16 bits")
        samples = np.frombuffer(audio.readframes(audio.getnframes()), "<i2")
        return Reference(samples, audio.getframerate(), text)


def row(summary: dict[str, Any]) -> str:
    """Formats one line of the table."""
    failed = sum(summary["failures"].values())
    said = f"  {summary['concurrency']:>3}   "
    if "audio" in summary:
        said += (
            f"{summary['first_audio_p50']:>9.3f} / {summary['first_audio_p99']:<9.3f}"
            f"{summary['audio_per_second']:>8.2f}{summary['real_time_factor_p50']:>10.2f}   "
        )
    held = ", ".join(f"{name} {size / 2**30:.2f}" for name, size in summary["memory"].items() if size)
    notes = [f"{summary['unfinished']} unfinished"] if summary["unfinished"] else []
    notes += [f"{failed} FAILED"] if failed else []
    return "   ".join([said + held, *notes])


async def run(options: argparse.Namespace, triton: str, metrics: str | None) -> dict[str, Any]:
    models = await loaded_models(triton, options.models.split(","))
    if not models:
        raise LookupError(f"Triton at {triton} has loaded none of {options.models}: see docs/higgs.md")
    pid = _pid(triton)
    report: dict[str, Any] = {"machine": machine(), "gpus": gpus(), "seed": options.seed, "models": {}}
    print("machine: " + ", ".join(f"{name} {value}" for name, value in report["machine"].items()))
    print("device: " + (", ".join(gpu["name"] for gpu in report["gpus"]) or "no NVIDIA GPU; all of this is on the CPU"))
    reference = read_reference(options.reference, options.reference_text) if options.reference else None
    for model in models:
        spoken = await options_for(triton, model, options.voice, reference)
        started = start_phases(metrics, model) if metrics else {}
        cold = await speak_all(triton, model, [WARM_UP], 1, spoken)  # reference encoded, kernels loaded
        _stop_on_failure(model, cold)
        print(f"\n{model}: start {_start(started, options.patience)}; first request {cold.whole[0]:.2f} s")
        print("  at a time   first audio p50 / p99, s   audio s/s   RTF p50   memory, GiB", flush=True)
        measurements = []
        for concurrency in map(int, options.concurrency.split(",")):
            said = texts(max(options.requests, 2 * concurrency), options.sentences, options.seed + concurrency)
            measurements.append(await measure(triton, model, spoken, said, concurrency, pid))
            print(row(measurements[-1]), flush=True)
            for reason, count in measurements[-1]["failures"].items():
                print(f"        {count} x {reason}")
        report["models"][model] = {"start": started, "first_request": cold.whole[0], "rounds": measurements}
    return report


def _start(started: dict[str, float], patience: float) -> str:
    if TOTAL not in started:
        return "not told"
    cold = cold_seconds(started)
    kept = break_even(cold, 1.0, patience)
    told = ", ".join(f"{name} {seconds:.1f}" for name, seconds in started.items() if name != TOTAL)
    return f"{cold:.1f} s ({told}), so that a GPU is worth keeping for {kept:.0f} s after the last request"


def _stop_on_failure(model: str, load: Load) -> None:
    if load.failures:
        raise LookupError(f"{model} does not speak: {next(iter(load.failures))}")


def _pid(triton: str) -> int | None:
    try:
        return pid_listening_on(triton)
    except LookupError:  # on another machine, or another user's
        return None


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    file = local_stack.home() / local_stack.STACK_FILE
    record = json.loads(file.read_text()) if file.exists() else {}
    triton = options.triton or record.get("triton_url")
    port = record.get("ports", {}).get("triton_metrics")
    metrics = options.metrics or (f"127.0.0.1:{port}" if port and not options.triton else None)
    if not triton:
        print(f"There is no running stack in {local_stack.home()}: start one, or give --triton.", file=sys.stderr)
        return 1
    try:
        report = asyncio.run(run(options, triton, metrics))
    except (LookupError, ValueError, TritonError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--triton", help="address of Triton's gRPC; else that of the stack that runs")
    parser.add_argument("--metrics", help="host:port of Triton's metrics, for the phases of the start")
    parser.add_argument(
        "--models", default=",".join(MODELS), help="with commas; those that are not loaded are left out"
    )
    parser.add_argument("--voice", default="", help="a name of the models' cards; else their default voice")
    parser.add_argument("--reference", type=Path, help="a WAV file, in place of a voice")
    parser.add_argument("--reference-text", default="", help="what is said in it")
    parser.add_argument(
        "--concurrency", default=",".join(map(str, CONCURRENCY)), help="requests at a time, with commas"
    )
    parser.add_argument("--requests", type=int, default=16, help="in each measurement, and at least two for each place")
    parser.add_argument("--sentences", type=int, default=2, help="of a text")
    parser.add_argument("--seed", type=int, default=1, help="of the texts")
    parser.add_argument(
        "--patience",
        type=float,
        default=0.0,
        help="what a second of somebody's waiting is worth, in seconds of a GPU",
    )
    parser.add_argument("--json", type=Path, help="keep all figures in this file")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

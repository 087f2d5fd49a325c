"""Simulates users, from one to more than the models can serve: ``python -m perf.load_test --model kokoro``."""

import argparse
import asyncio
import json
import random
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from lectern.triton import AsyncTriton
from perf.http_client import checked
from perf.machine import busy_seconds, machine
from perf.simulated_asker import Asked, ask_on
from perf.simulated_user import Experience, SimulatedUser
from perf.stack import Stack, find_stack, keys_of_new_accounts
from perf.summary_statistics import percentile
from perf.texts import text

COUNTS: Final = (1, 2, 4, 8, 16, 32, 64)
ARRIVING: Final = 10.0  # seconds within which all users come
SENTENCES_OF_A_SECOND: Final = 1.5  # of playing, at twice the speed and with jumps
FLOOR_TEXTS: Final = 6
PAGE: Final = 100
MOST_UNDERRUN: Final = 0.03  # share of the time
READY_SECONDS: Final = 120
FORGETTING: Final = 40.0  # seconds after which admission counts none of the users any more


async def floor(stack: Stack, model: str) -> dict[str, Any]:
    """Measures the model alone, one block's text at a time by gRPC: no user can have the first audio earlier."""
    first, spoken, took = [], 0.0, 0.0
    async with AsyncTriton(stack.triton) as triton:
        for _ in range(FLOOR_TEXTS + 1):
            began = time.perf_counter()
            sounds: list[float] = []
            seconds = 0.0
            async for chunk in triton.speak(model, text(3)):
                seconds += chunk.audio.size / chunk.sample_rate
                sounds += [time.perf_counter() - began] if chunk.audio.size else []
            first.append(sounds[0])
            spoken, took = spoken + seconds, took + time.perf_counter() - began
    first = first[1:]  # the first text warms up
    return {"first_audio": distribution(first), "seconds_of_speech_in_a_second": round(spoken / took, 2)}


class OtherProcesses:
    """Counts the processors that everything else on this machine takes: the stack cannot have those."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._began, self._before = time.perf_counter(), self._seconds()

    def processors(self) -> float:
        return round((self._seconds() - self._before) / (time.perf_counter() - self._began), 2)

    def _seconds(self) -> float:
        return busy_seconds() - sum(self._stack.cpu().values()) - time.process_time()


async def document(stack: Stack, sentences: int, query: str) -> list[str]:
    """Makes a document; returns the addresses of the audio of its blocks."""
    async with stack.connection() as connection:
        body = msgspec.json.encode({"text": text(sentences), "format": "text"})
        made = json.loads(checked(await connection.ask("POST", "/api/v1/documents", body)).body)
        path = f"/api/v1/documents/{made['id']}"
        limit = time.monotonic() + READY_SECONDS
        while json.loads(checked(await connection.ask("GET", path)).body)["status"] != "ready":
            if time.monotonic() > limit:
                raise RuntimeError("the worker does not cut the documents")
            await asyncio.sleep(0.1)
        blocks: list[str] = []
        after = ""
        while True:
            page = json.loads(checked(await connection.ask("GET", f"{path}/blocks?limit={PAGE}{after}")).body)
            blocks += [f"{path}/blocks/{block['id']}/audio?{query}" for block in page["items"] if block["spoken"]]
            if page["next"] is None:
                return blocks
            after = f"&after={page['next']}"


async def run(stack: Stack, model: str, count: int, seconds: float, seed: int, *, askers: int = 0) -> dict[str, Any]:
    """Simulates ``count`` users for so many seconds, and beside them as many scripts that only ask."""
    query = urlencode({"model": model})
    sentences = int(seconds * SENTENCES_OF_A_SECOND) + 60
    users = []
    *keys, askers_key = await keys_of_new_accounts(count + 1)
    for number, key in enumerate(keys):
        theirs = replace(stack, key=key)
        addresses = await document(theirs, sentences, query)
        users.append(SimulatedUser(theirs, addresses, random.Random(f"{seed} {number}")))
    until = time.perf_counter() + seconds
    others = OtherProcesses(stack)

    async def come(number: int, user: SimulatedUser) -> None:
        await asyncio.sleep(ARRIVING * number / count)
        await user.play(until=until)

    asked = Asked()
    async with asyncio.TaskGroup() as group:
        for number, user in enumerate(users):
            group.create_task(come(number, user))
        for _ in range(askers):
            group.create_task(ask_on(replace(stack, key=askers_key), model, asked, until=until))
    taken = others.processors()
    await asyncio.sleep(FORGETTING)
    told = {"users": count, "seconds": seconds, "processors_of_others": taken}
    scripts = {"count": askers, "answers": distribution(asked.seconds), "refused": asked.refused}
    return {**told, **summary([user.experience for user in users]), "askers": scripts}


def summary(experiences: list[Experience]) -> dict[str, Any]:
    began = [one for one in experiences if one.start]
    refusals = [refusal for one in experiences for refusal in one.refusals]
    again = [refusal.admitted_then for refusal in refusals if refusal.admitted_then is not None]
    underruns = [underrun for one in began for underrun in one.underruns]
    played = sum(one.played / one.rate for one in began)
    return {
        "admitted": len(began),
        "mean_rate": round(sum(one.rate for one in began) / max(1, len(began)), 2),
        "first_audio": distribution([time for one in began for time in (*one.start, *one.jumps)]),
        "first_audio_at_start": distribution([time for one in began for time in one.start]),
        "first_audio_after_jump": distribution([time for one in began for time in one.jumps]),
        "underruns": {
            **distribution(underruns),
            "users": sum(bool(one.underruns) for one in began),
            "share_of_time": round(sum(underruns) / max(1.0, played + sum(underruns)), 4),
        },
        "refusals": {
            **distribution([refusal.seconds for refusal in refusals]),
            "while_playing": sum(not refusal.starting for refusal in refusals),
            "retry_after": distribution([refusal.retry_after for refusal in refusals]),
            "asked_again": len(again),
            "admitted_then": sum(again),
        },
        "failures": [failure for one in experiences for failure in one.failures],
        "experiences": [asdict(one) for one in experiences],
    }


def distribution(seconds: list[float]) -> dict[str, Any]:
    if not seconds:
        return {"count": 0}
    values = {"p50": percentile(seconds, 50), "p99": percentile(seconds, 99), "max": max(seconds)}
    return {"count": len(seconds), **{name: round(value, 4) for name, value in values.items()}}


def is_within_capacity(result: dict[str, Any], bound: float) -> bool:
    """Returns whether all users were admitted, hardly ever had an underrun, and had their first audio in time."""
    nobody_waits = result["admitted"] == result["users"] and not result["refusals"]["count"]
    return (
        nobody_waits and result["underruns"]["share_of_time"] <= MOST_UNDERRUN and result["first_audio"]["p99"] <= bound
    )


def show(result: dict[str, Any]) -> None:
    first, underruns, refused = result["first_audio"], result["underruns"], result["refusals"]
    nothing = float("nan")
    parts = [
        f"{result['users']:>4} users, {result['admitted']:>3} admitted",
        f"first audio {first.get('p50', nothing):.3f} / {first.get('p99', nothing):.3f} s, of {first['count']}",
        f"{underruns['count']} underruns of {underruns['users']}, {100 * underruns['share_of_time']:.1f} % of the time",
        f"{refused['count']} refused, {refused['while_playing']} of them while they played",
        f"the answer came after {refused.get('p50', nothing):.3f} / {refused.get('p99', nothing):.3f} s",
        f"{refused['admitted_then']} of {refused['asked_again']} admitted when they asked again",
        f"{len(result['failures'])} failures",
        f"others took {result['processors_of_others']} processors",
    ]
    if (askers := result["askers"])["count"]:
        answers = askers["answers"]
        parts.append(
            f"{askers['count']} scripts: {answers['count']} answers after {answers.get('p50', nothing):.2f} /"
            f" {answers.get('p99', nothing):.2f} s, {askers['refused']} refused"
        )
    print("; ".join(parts), flush=True)


async def measure(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    report: dict[str, Any] = {"model": options.model, "machine": machine(), "bound": options.bound}
    report["floor"] = await floor(stack, options.model)
    print(f"the model alone: {report['floor']}", flush=True)
    report["sweep"] = []

    async def try_with(count: int, seconds: float, seed: int) -> dict[str, Any]:
        result = await run(stack, options.model, count, seconds, seed, askers=options.askers)
        show(result)
        return result

    good, bad = 0, 0
    for count in options.counts:
        result = await try_with(count, options.seconds, options.seed)
        report["sweep"].append(result)
        if is_within_capacity(result, options.bound) and not bad:
            good = count
        else:
            bad = bad or count
    while bad - good > max(1, good // 8):  # the capacity lies between
        result = await try_with((good + bad) // 2, options.seconds, options.seed)
        report["sweep"].append(result)
        good, bad = ((good + bad) // 2, bad) if is_within_capacity(result, options.bound) else (good, (good + bad) // 2)
    report["capacity"] = good
    print(f"capacity: {good}", flush=True)
    if good:
        at = await try_with(good, options.long, options.seed + 1)
        twice = await try_with(2 * good, options.long, options.seed + 1)
        report |= {"at_capacity": at, "at_twice": twice}
        if twice["admitted"] and at["admitted"]:
            report["p99_twice_over_at"] = round(twice["first_audio"]["p99"] / at["first_audio"]["p99"], 2)
            print(f"p99 of first audio at twice the capacity, over that at it: {report['p99_twice_over_at']}")
    report["machine_afterwards"] = machine()
    return report


def main() -> int:
    options = _options()
    try:
        stack = find_stack(options.url, options.key, options.triton)
    except LookupError as error:
        print(error, file=sys.stderr)
        return 1
    report = asyncio.run(measure(stack, options))
    print("machine: " + ", ".join(f"{name} {value}" for name, value in report["machine"].items()))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url")
    parser.add_argument("--key")
    parser.add_argument("--triton")
    parser.add_argument("--model", default="espeak")
    parser.add_argument(
        "--counts",
        type=lambda said: [int(count) for count in said.split(",")],
        default=list(COUNTS),
        help="of users, with commas between them, rising",
    )
    parser.add_argument("--seconds", type=float, default=60, help="for each count")
    parser.add_argument("--long", type=float, default=240, help="seconds at the capacity, and at twice the capacity")
    parser.add_argument("--bound", type=float, default=3.0, help="seconds within which first audio is in time (p99)")
    parser.add_argument("--askers", type=int, default=0, help="scripts beside the users, each asking without a pause")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="keep all figures in this file")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""Measures how soon a long document that is cached is heard: ``python -m perf.cached_document``."""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from perf.http_client import Connection, checked
from perf.machine import machine
from perf.stack import Stack, find_stack
from perf.summary_statistics import MedianRange, as_json, median_ranges
from perf.texts import text

FORMATS: Final = ("wav", "flac", "opus", "mp3")
SENTENCES_IN_A_BLOCK: Final = 3
CUT_SECONDS: Final = 300
MAKE_SECONDS: Final = 3_600


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
    address = await _new_document(stack, options.blocks)
    try:
        report["blocks"] = await _cached_blocks(stack, address, options.model)
        await _once(stack, address, options.model)  # warms the process up
        repetitions = [await _once(stack, address, options.model) for _ in range(options.repetitions)]
    finally:
        await _ask(stack, "DELETE", address)
    title = f"first byte of {report['blocks']} cached blocks, ms"
    table: dict[str, MedianRange] = median_ranges(repetitions)
    print(f"\n{title}: median of {len(repetitions)} repetitions (least to most)")
    for name, values in table.items():
        print(f"  {name:12} {values}")
    report[title] = as_json(table, repetitions)
    return report


async def _new_document(stack: Stack, blocks: int) -> str:
    """Returns the address of a document with about so many blocks, once it is cut."""
    paragraphs = "\n\n".join(text(SENTENCES_IN_A_BLOCK) for _ in range(blocks))
    body = msgspec.json.encode({"text": paragraphs, "format": "text", "title": "Measured"})
    document = await _ask(stack, "POST", "/api/v1/documents", body)
    address = f"/api/v1/documents/{document['id']}"
    async with asyncio.timeout(CUT_SECONDS):
        while document["status"] not in ("ready", "failed"):
            await asyncio.sleep(0.2)
            document = await _ask(stack, "GET", address)
    if document["status"] == "failed":
        raise RuntimeError(f"The document failed: {document['error']}")
    return address


async def _cached_blocks(stack: Stack, address: str, model: str) -> int:
    """Has every block made, and returns how many there are once all are in the cache."""
    blocks: list[str] = []
    page: dict[str, Any] = {"next": None}
    while not blocks or page["next"] is not None:
        after = "" if page["next"] is None else f"&after={page['next']}"
        page = await _ask(stack, "GET", f"{address}/blocks?limit=100{after}")
        blocks += [block["id"] for block in page["items"]]
    async with asyncio.timeout(MAKE_SECONDS), stack.connection() as connection:
        for block in blocks:
            await _wait_until_cached(connection, f"{address}/blocks/{block}/audio?model={model}&lane=batch")
    return len(blocks)


async def _wait_until_cached(connection: Connection, path: str) -> None:
    """HEAD answers when the audio is complete, which is a moment before it is cached. A whole file has a length."""
    checked(await connection.ask("HEAD", path))
    while True:
        if "content-length" in checked(await connection.ask("GET", f"{path}&response_format=flac")).headers:
            return
        await asyncio.sleep(0.01)


async def _once(stack: Stack, address: str, model: str) -> dict[str, float]:
    measured = {}
    for audio_format in FORMATS:
        async with stack.connection() as connection:
            start = time.perf_counter()
            path = f"{address}/audio?model={model}&response_format={audio_format}"
            status, _ = await connection.begin(path)
            if status != 200:
                raise RuntimeError(f"The server answered {status}.")
            async for _ in connection.chunks():
                measured[audio_format] = 1000 * (time.perf_counter() - start)
                break
        await asyncio.sleep(0.3)  # for what was read ahead of the response that was left
    return measured


async def _ask(stack: Stack, method: str, path: str, body: bytes = b"") -> Any:  # noqa: ANN401 - JSON
    async with stack.connection() as connection:
        answer = checked(await connection.ask(method, path, body))
    return msgspec.json.decode(answer.body) if answer.body else None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m perf.cached_document", description=__doc__)
    parser.add_argument("--url", help="the REST API; default: the stack that runs in LECTERN_HOME")
    parser.add_argument("--key", help="API key; default: the one in LECTERN_HOME")
    parser.add_argument("--triton", help="address of Triton's gRPC; default: that of the stack in LECTERN_HOME")
    parser.add_argument("--model", default="espeak")
    parser.add_argument("--blocks", type=int, default=500)
    parser.add_argument("--repetitions", type=int, default=11)
    parser.add_argument("--json", metavar="FILE", help="write all figures here")
    options = parser.parse_args()
    if min(options.blocks, options.repetitions) <= 0:
        parser.error("--blocks and --repetitions must be positive")
    return options


if __name__ == "__main__":
    sys.exit(main())

"""`lectern read`: a document into one audio file."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Final

from lectern.cli.captions import add_captions, caption_format, check_captions, write_captions
from lectern.cli.errors import INCOMPLETE, OK, UsageError
from lectern.cli.options import (
    Commands,
    add_command,
    add_loudness,
    add_triton,
    add_voicing,
    read_text,
    server_url,
    voicing,
)
from lectern.cli.output import Sink, add_output, audio_format, check_output, open_output, report
from lectern.read_aloud import FailedBlock, Reading, read_aloud
from lectern.rest.aio import AsyncClient

_PLAIN_SUFFIXES: Final = {".txt", ".text"}
_SHOWN: Final = 60  # characters of a block that could not be spoken
_RETRY_TIMEOUT: Final = 120.0  # seconds: nobody listens yet


def add(commands: Commands) -> None:
    parser = add_command(commands, "read", "read a Markdown or text document aloud into an audio file")
    parser.add_argument("file", metavar="FILE", help="the document; - for stdin")
    add_output(parser)
    add_captions(parser)
    add_voicing(parser)
    add_loudness(parser)
    parser.add_argument("--as", dest="kind", choices=("markdown", "text"), help="else text for .txt, else markdown")
    parser.add_argument("--title", help="else the document's own")
    parser.add_argument("--at-once", type=int, default=4, metavar="N", help="blocks in the making (default: 4)")
    add_triton(parser)
    # Nobody listens yet. In the live lane a busy model would refuse block after block.
    parser.set_defaults(run=run, lane="batch")


def run(options: argparse.Namespace) -> int:
    if options.triton:
        raise UsageError("--triton cannot read documents: the server cuts them into blocks; use `lectern speak`")
    if options.at_once < 1:
        raise UsageError("--at-once is at least 1")
    check_output(options)
    check_captions(options)
    text = read_text(options.file)
    with open_output(options) as output:
        reading = asyncio.run(_read(options, text, output))
    report(options, *_report(options, reading))
    if not reading.failed:
        return OK
    print(f"lectern: {len(reading.failed)} of {reading.progress.blocks} blocks could not be spoken", file=sys.stderr)
    return INCOMPLETE


async def _read(options: argparse.Namespace, text: str, output: Sink) -> Reading:
    from lectern.cli.progress_bars import ReadingBar, print_above  # noqa: PLC0415 - tqdm is slow to import

    chosen_voicing = voicing(options)
    plain = Path(options.file).suffix.lower() in _PLAIN_SUFFIXES
    async with AsyncClient(server_url(options), retry_timeout=_RETRY_TIMEOUT) as client:
        with ReadingBar() as bar:
            reading = await read_aloud(
                client,
                text,
                output,
                title=options.title,
                document_format=options.kind or ("text" if plain else "markdown"),
                voicing=chosen_voicing,
                audio_format=audio_format(options),
                loudness=options.loudness,
                at_once=options.at_once,
                on_progress=bar.show,
                on_failed=lambda failed: print_above(f"lectern: {_reason(failed)}"),
            )
        if options.captions:
            form = caption_format(options.captions)
            captions = await client.document_captions(
                reading.document.id, chosen_voicing, caption_format=form, skip=reading.skip
            )
            await asyncio.to_thread(write_captions, options.captions, captions)
    return reading


def _report(options: argparse.Namespace, reading: Reading) -> tuple[dict[str, object], str]:
    done = reading.progress
    facts: dict[str, object] = {
        "file": options.output,
        "format": audio_format(options),
        "document": reading.document.id,
        "title": reading.document.title,
        "blocks": done.blocks,
        "failed": [
            {"block": one.number, "id": one.block.id, "text": _first_words(one.block.shown), "reason": str(one.error)}
            for one in reading.failed
        ],
        "audio_seconds": round(done.audio_seconds, 3),
        "elapsed_seconds": round(done.elapsed_seconds, 3),
        "bytes": done.bytes_written,
        "captions": options.captions,
    }
    blocks = f"{done.blocks_done} of {done.blocks} blocks" if reading.failed else f"{done.blocks} blocks"
    line = (
        f"{blocks}, {done.audio_seconds:.0f} s of audio in {done.elapsed_seconds:.1f} s "
        f"({done.times_real_time:.1f} times real time), {done.bytes_written:,} bytes"
    )
    return facts, line


def _reason(failed: FailedBlock) -> str:
    reason = " ".join(str(failed.error).split())
    return f'block {failed.number} ("{_first_words(failed.block.shown)}") could not be spoken: {reason}'


def _first_words(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN].rstrip()}…"

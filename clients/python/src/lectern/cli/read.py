"""`lectern read`: a document into one file."""

import argparse
import asyncio
from pathlib import Path
from typing import BinaryIO, Final

from lectern.cli.exits import OK, UsageError
from lectern.cli.options import Commands, add_command, add_triton, add_voicing, server_url, text_from
from lectern.cli.output import add_output, chosen_format, opened, report

_PLAIN_SUFFIXES: Final = {".txt", ".text"}


def add(commands: Commands) -> None:
    parser = add_command(commands, "read", "read a Markdown or text document aloud into an audio file")
    parser.add_argument("file", metavar="FILE", help="the document; - for stdin")
    add_output(parser)
    add_voicing(parser)
    parser.add_argument("--as", dest="kind", choices=("markdown", "text"), help="else text for .txt, else markdown")
    parser.add_argument("--title", help="else the document's own")
    parser.add_argument("--at-once", type=int, default=4, metavar="N", help="blocks in the making (default: 4)")
    add_triton(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.triton:
        raise UsageError("--triton cannot read documents: the server cuts them into blocks; use `lectern speak`")
    if options.at_once < 1:
        raise UsageError("--at-once is at least 1")
    text = text_from(options.file)
    with opened(options) as output:
        facts, line = asyncio.run(_read(options, text, output))
    report(options, facts, line)
    return OK


async def _read(options: argparse.Namespace, text: str, output: BinaryIO) -> tuple[dict[str, object], str]:
    from lectern.cli.progress import ReadingBar  # noqa: PLC0415 - slow to import, and --help needs none of it
    from lectern.reading import Voicing, read_aloud  # noqa: PLC0415
    from lectern.rest.aio import AsyncClient  # noqa: PLC0415

    voicing = Voicing(options.voice, options.model, options.speed, chosen_format(options))
    plain = Path(options.file).suffix.lower() in _PLAIN_SUFFIXES
    async with AsyncClient(server_url(options)) as client:
        with ReadingBar() as bar:
            reading = await read_aloud(
                client,
                text,
                output,
                title=options.title,
                document_format=options.kind or ("text" if plain else "markdown"),
                voicing=voicing,
                at_once=options.at_once,
                on_progress=bar.show,
            )
    done = reading.progress
    facts: dict[str, object] = {
        "file": options.output,
        "format": voicing.audio_format,
        "document": reading.document.id,
        "title": reading.document.title,
        "blocks": done.blocks,
        "audio_seconds": round(done.audio_seconds, 3),
        "elapsed_seconds": round(done.elapsed_seconds, 3),
        "bytes": done.bytes_written,
    }
    line = (
        f"{options.output}: {done.blocks} blocks, {done.audio_seconds:.0f} s of audio in {done.elapsed_seconds:.1f} s "
        f"({done.times_real_time:.1f} times real time), {done.bytes_written:,} bytes"
    )
    return facts, line

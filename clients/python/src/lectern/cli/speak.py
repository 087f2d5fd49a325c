"""`lectern speak`: one text into one file."""

import argparse
import time
from contextlib import closing

from lectern.cli import direct
from lectern.cli.exits import OK
from lectern.cli.options import Commands, add_command, add_triton, add_voicing, server_url, spoken, text_from
from lectern.cli.output import add_output, chosen_format, opened, report


def add(commands: Commands) -> None:
    parser = add_command(commands, "speak", "speak a text into an audio file")
    parser.add_argument("text", metavar="TEXT", help="what to say; - for stdin")
    add_output(parser)
    add_voicing(parser)
    add_triton(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    text = text_from("-") if options.text == "-" else spoken(options.text, "TEXT")
    if options.triton:
        direct.speak(options, text)
    else:
        _speak(options, text)
    return OK


def _speak(options: argparse.Namespace, text: str) -> None:
    from lectern.cli.progress import bytes_bar  # noqa: PLC0415 - slow to import, and --help needs none of it
    from lectern.rest.sync import Client  # noqa: PLC0415

    audio_format = chosen_format(options)
    start = time.monotonic()
    size = 0
    with opened(options) as output, Client(server_url(options)) as client, bytes_bar() as bar:
        chunks = client.stream_speech(
            text, voice=options.voice, model=options.model, speed=options.speed, audio_format=audio_format
        )
        with closing(chunks):
            for chunk in chunks:
                output.write(chunk)
                size += len(chunk)
                bar.update(len(chunk))
    elapsed = time.monotonic() - start
    facts = {"file": options.output, "format": audio_format, "bytes": size, "elapsed_seconds": round(elapsed, 3)}
    report(options, facts, f"{options.output}: {size:,} bytes in {elapsed:.1f} s")

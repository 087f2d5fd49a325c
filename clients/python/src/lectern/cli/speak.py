"""`lectern speak`: one text into one file, or into a player."""

import argparse
import time
from contextlib import closing
from typing import Final

from lectern.cli import triton
from lectern.cli.captions import add_captions, caption_format, check_captions, write_captions
from lectern.cli.errors import OK
from lectern.cli.options import (
    Commands,
    add_command,
    add_loudness,
    add_text_options,
    add_triton,
    add_voicing,
    check_text,
    read_text,
    server_url,
    voicing,
)
from lectern.cli.output import add_output, audio_format, check_output, open_output, report_speech
from lectern.rest.sync import Client
from lectern.voicing import Text

_PCM_RATE: Final = 24_000  # Hz, of samples without a header when no other rate is asked for


def add(commands: Commands) -> None:
    parser = add_command(commands, "speak", "speak a text into an audio file, or play it")
    parser.add_argument("text", metavar="TEXT", help="what to say; - for stdin")
    add_output(parser, play=True)
    add_captions(parser)
    add_voicing(parser)
    add_text_options(parser)
    add_audio_options(parser)
    add_triton(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    text = read_text("-") if options.text == "-" else check_text(options.text, "TEXT")
    (triton.speak if options.triton else speak)(options, text)
    return OK


def add_audio_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sample-rate", type=int, metavar="HZ", help="else the voice's own")
    add_loudness(parser)


def speak(options: argparse.Namespace, text: Text) -> None:
    """Has the server speak the text, into a file or a player."""
    from lectern.cli.progress_bars import bytes_bar  # noqa: PLC0415 - tqdm is slow to import, and --help needs none

    check_output(options)
    check_captions(options)
    chosen_format = audio_format(options)
    chosen_voicing = voicing(options)
    start = time.monotonic()
    size, complete = 0, False
    with (
        Client(server_url(options)) as client,
        open_output(options, rate=options.sample_rate or _PCM_RATE) as output,
        bytes_bar() as bar,
    ):
        chunks = client.stream_speech(
            text,
            chosen_voicing,
            audio_format=chosen_format,
            sample_rate=options.sample_rate,
            loudness=options.loudness,
        )
        with closing(chunks):
            for chunk in chunks:
                output.write(chunk)
                size += len(chunk)
                bar.update(len(chunk))
        if options.captions:  # of the audio just cached; before the audio takes its name, so that both do or none
            captions = client.captions(text, chosen_voicing, caption_format=caption_format(options.captions))
            write_captions(options.captions, captions)
        complete = True
    elapsed = time.monotonic() - start
    facts = {"file": options.output, "format": chosen_format, "bytes": size, "elapsed_seconds": round(elapsed, 3)}
    report_speech(options, facts, f"{size:,} bytes in {elapsed:.1f} s", complete=complete)

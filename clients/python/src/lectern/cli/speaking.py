"""What `speak` and `dialogue` share: has a text spoken by the server, into a file or a player."""

import argparse
import time
from contextlib import closing
from typing import Any, Final

from lectern.cli.captioning import caption_format, check_captions, write_captions
from lectern.cli.options import add_loudness, server_url, voicing
from lectern.cli.output import check_output, chosen_format, opened, report
from lectern.voicing import Text

_PCM_RATE: Final = 24_000  # Hz, of samples without a header when no other rate is asked for


def add_sound(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sample-rate", type=int, metavar="HZ", help="else the voice's own")
    add_loudness(parser)


def speak(options: argparse.Namespace, text: Text) -> None:
    from lectern.cli.progress import bytes_bar  # noqa: PLC0415 - slow to import, and --help needs none of it
    from lectern.rest.sync import Client  # noqa: PLC0415

    check_output(options)
    check_captions(options)
    audio_format = chosen_format(options)
    how = voicing(options)
    start = time.monotonic()
    size, heard_out = 0, False
    with (
        Client(server_url(options)) as client,
        opened(options, rate=options.sample_rate or _PCM_RATE) as output,
        bytes_bar() as bar,
    ):
        chunks = client.stream_speech(
            text, how, audio_format=audio_format, sample_rate=options.sample_rate, loudness=options.loudness
        )
        with closing(chunks):
            for chunk in chunks:
                output.write(chunk)
                size += len(chunk)
                bar.update(len(chunk))
        if options.captions:  # of what the server has just kept; before the audio takes its name, so that both do
            captions = client.captions(text, how, caption_format=caption_format(options.captions))
            write_captions(options.captions, captions)
        heard_out = True
    elapsed = time.monotonic() - start
    facts = {"file": options.output, "format": audio_format, "bytes": size, "elapsed_seconds": round(elapsed, 3)}
    finish(options, facts, f"{size:,} bytes in {elapsed:.1f} s", heard_out=heard_out)


def finish(options: argparse.Namespace, facts: dict[str, Any], line: str, *, heard_out: bool) -> None:
    """Reports the audio, its captions, and whether the player went away before its end."""
    facts["captions"] = options.captions if heard_out else None
    if options.play:
        facts["heard_out"] = heard_out
    if options.captions and heard_out:
        line += f", captions in {options.captions}"
    report(options, facts, line if heard_out else f"{line}, then the player went away")

"""`lectern speak`: one text into one file, or into a player."""

import argparse

from lectern.cli import direct_speech
from lectern.cli.captioning import add_captions
from lectern.cli.exits import OK
from lectern.cli.options import Commands, add_command, add_manner, add_triton, add_voicing, spoken, text_from
from lectern.cli.output import add_output
from lectern.cli.speaking import add_sound, speak


def add(commands: Commands) -> None:
    parser = add_command(commands, "speak", "speak a text into an audio file, or play it")
    parser.add_argument("text", metavar="TEXT", help="what to say; - for stdin")
    add_output(parser, play=True)
    add_captions(parser)
    add_voicing(parser)
    add_manner(parser)
    add_sound(parser)
    add_triton(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    text = text_from("-") if options.text == "-" else spoken(options.text, "TEXT")
    (direct_speech.speak if options.triton else speak)(options, text)
    return OK

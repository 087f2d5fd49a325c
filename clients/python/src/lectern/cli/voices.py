"""`lectern voices`: what can speak, and what one adds to it."""

import argparse
from collections.abc import Sequence

from lectern.cli import direct, own_voices
from lectern.cli.exits import OK
from lectern.cli.options import Commands, add_command, add_triton, server_url
from lectern.cli.output import print_json
from lectern.types import Voice


def add(commands: Commands) -> None:
    parser = add_command(commands, "voices", "list the voices, or make, change and delete your own")
    _add_listing(parser)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    _add_listing(add_command(actions, "list", "list the voices, as without an action", within=parser))
    own_voices.add(actions, parser)


def _add_listing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME", help="only this model's")
    parser.add_argument("--language", metavar="TAG", help="only this language's, such as en or en-GB")
    add_triton(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    voices = direct.voices(options) if options.triton else _voices(options)
    if options.json:
        print_json({"items": voices})
    else:
        _print_table(voices)
    return OK


def _voices(options: argparse.Namespace) -> list[Voice]:
    from lectern.rest.sync import Client  # noqa: PLC0415 - slow to import, and --help needs none of it

    with Client(server_url(options)) as client:
        return client.voices(model=options.model, language=options.language)


def _print_table(voices: Sequence[Voice]) -> None:
    rows = [("NAME", "MODEL", "LANGUAGE", "GENDER", "DESCRIPTION")]
    rows += [
        (voice.slug or voice.name, voice.model, voice.language, voice.gender or "-", _described(voice))
        for voice in voices
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _described(voice: Voice) -> str:
    if voice.id is None:
        return voice.description
    own = "your own" if voice.name == voice.slug else f"your own: {voice.name}"
    return f"{own}; {voice.description}" if voice.description else own

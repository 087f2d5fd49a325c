"""The options that commands share, and how the text, the voicing and the server are read from them."""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from lectern.cli.errors import HELP, UsageError
from lectern.rest.connection import checked_url
from lectern.voicing import Pauses, Voicing
from lectern_contract import LANES, MAX_SPEED, MIN_SPEED, PAUSES
from lectern_contract.pauses import NoPauses, parse, spelled

# What argparse's add_subparsers returns, which has no public name.
Commands = Any


def add_command(
    commands: Commands, name: str, summary: str, *, details: str = "", within: argparse.ArgumentParser | None = None
) -> argparse.ArgumentParser:
    """`within`: the command that this one is an action of; that command's options may stand before it too."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"{details}\n{HELP}" if details else HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS if within else None,  # else what was given before would be forgotten
    )
    parser.add_argument("--url", metavar="URL", help="address of the server")
    parser.add_argument("--json", action="store_true", help="print one JSON object, for machines")
    return parser


def add_triton(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--triton", metavar="ADDRESS", help="speak to Triton directly, at HOST:PORT of its gRPC service, or unix:PATH"
    )


def add_voicing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--voice", metavar="NAME", help="see `lectern voices`; or a mix: af_heart(2)+af_sky(1)")
    parser.add_argument("--model", metavar="NAME", help="the model that has the voice")
    parser.add_argument("--speed", type=_speed, metavar="X", help="0.25 to 4; 1 is the voice's own")
    parser.add_argument("--language", metavar="TAG", help="such as en-GB; else the voice's own")
    parser.add_argument("--pauses", metavar="LINE", help=f"seconds of silence, such as {spelled(PAUSES)}")
    parser.add_argument(
        "--lane", choices=LANES, help="live comes first; batch, which `read` takes by default, can wait"
    )


def add_loudness(parser: argparse.ArgumentParser) -> None:
    text = "integrated loudness, such as -16; the audio then comes only when all of it is made"
    parser.add_argument("--loudness", type=float, metavar="LUFS", help=text)


def add_text_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that documents do not take."""
    parser.add_argument("--instructions", metavar="TEXT", help="how to speak, for models that can be told")
    parser.add_argument("--lexicon", metavar="FILE", help="JSON object of words and their pronunciation in IPA")
    parser.add_argument(
        "--markup", action="store_true", help="read [word](/IPA/) and [pause:0.5s] in the text, for models that can"
    )


def voicing(options: argparse.Namespace) -> Voicing:
    """Returns the voicing. Raises UsageError for pauses or a lexicon that cannot be read."""
    lexicon = getattr(options, "lexicon", None)
    return Voicing(
        voice=options.voice,
        model=options.model,
        speed=options.speed,
        language=options.language,
        pauses=_pauses(options.pauses) if options.pauses else None,
        lane=options.lane,
        instructions=getattr(options, "instructions", None),
        lexicon=_lexicon(lexicon) if lexicon else None,
        markup=getattr(options, "markup", False) or None,
    )


def _speed(given: str) -> float:
    speed = float(given)
    if not MIN_SPEED <= speed <= MAX_SPEED:  # which NaN is not either
        raise argparse.ArgumentTypeError(f"{given} is not from {MIN_SPEED:g} to {MAX_SPEED:g}")
    return speed


def _pauses(line: str) -> Pauses:
    try:
        return parse(line)
    except NoPauses as error:
        raise UsageError(f"--pauses: {error}") from error


def _lexicon(name: str) -> Mapping[str, str]:
    try:
        return msgspec.json.decode(read_text(name), type=dict[str, str])
    except msgspec.DecodeError as error:
        raise UsageError(f"{name} is no JSON object of words and their pronunciation: {error}") from error


def server_url(options: argparse.Namespace) -> str | None:
    """Returns `--url` or LECTERN_URL. Raises UsageError for what is no web address."""
    # Checked here: elsewhere a ValueError is a fault of ours and should show as one.
    for source, url in (("--url", options.url), ("LECTERN_URL", os.environ.get("LECTERN_URL"))):
        if url:
            try:
                return checked_url(url)
            except ValueError as error:
                raise UsageError(f"{source}: {error}") from error
    return None


def read_text(name: str) -> str:
    """Returns the text of a file, or of standard input for "-". Raises UsageError."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 text (byte {error.start}): convert it first") from error
    return check_text(text, name)


def check_text(text: str, name: str) -> str:
    """Returns the text. Raises UsageError if there is none in it."""
    if not text.strip():
        raise UsageError(f"{name} holds nothing to speak")
    return text

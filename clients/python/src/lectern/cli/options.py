"""The options that several commands share, and where the text and the server come from."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from lectern.cli.exits import HELP, UsageError

# What argparse's add_subparsers returns, which has no public name.
Commands = Any


def add_command(commands: Commands, name: str, summary: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", metavar="URL", help="address of the server")
    parser.add_argument("--json", action="store_true", help="print one JSON object, for machines")
    return parser


def add_triton(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--triton", metavar="HOST:PORT", help="speak to Triton's gRPC service directly")


def add_voicing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--voice", metavar="NAME", help="see `lectern voices`")
    parser.add_argument("--model", metavar="NAME", help="the model that has the voice")
    parser.add_argument("--speed", type=float, metavar="X", help="0.25 to 4; 1 is the voice's own")


def server_url(options: argparse.Namespace) -> str | None:
    """Raises UsageError for what is no web address."""
    # Checked here, because elsewhere a ValueError would be a fault of ours and should show as one.
    from lectern.rest.connection import checked  # noqa: PLC0415 - httpx is slow to import, and --help needs none

    for source, url in (("--url", options.url), ("LECTERN_URL", os.environ.get("LECTERN_URL"))):
        if url:
            try:
                return checked(url)
            except ValueError as error:
                raise UsageError(f"{source}: {error}") from error
    return None


def text_from(name: str) -> str:
    """The text of a file, or of standard input for "-". Raises UsageError."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 text (byte {error.start}): convert it first") from error
    return spoken(text, name)


def spoken(text: str, name: str) -> str:
    if not text.strip():
        raise UsageError(f"{name} holds nothing to speak")
    return text

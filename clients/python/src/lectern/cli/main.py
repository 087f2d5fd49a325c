"""The `lectern` command: parses the command line and runs the subcommand."""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from lectern import __version__
from lectern.cli import captions, dialogue, read, speak, status, voices
from lectern.cli.errors import HELP, exit_code

_ENVIRONMENT: Final = """\
environment:
  LECTERN_URL      address of the server (else: the stack of this machine, else http://127.0.0.1:8000)
  LECTERN_API_KEY  key to it (else, for a server on this machine: the key of its own stack)
  LECTERN_HOME     folder of this machine's stack
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    return exit_code(lambda: options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lectern",
        description="Lectern reads documents aloud.",
        epilog=f"{_ENVIRONMENT}\n{HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lectern {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (speak, dialogue, read, captions, voices, status):
        command.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())

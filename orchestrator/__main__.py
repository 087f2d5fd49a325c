"""The orchestrator's processes: ``python -m orchestrator serve | worker | setup | key | …``."""

import argparse
import sys

from orchestrator import commands
from orchestrator.lib.environment import SettingsError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m orchestrator", description="Lectern's server processes")
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in commands.COMMANDS.items():
        subparser = subcommands.add_parser(name, help=command.__doc__, description=command.__doc__)
        commands.ARGUMENTS.get(name, _none)(subparser)
        subparser.set_defaults(command=command)
    given = vars(parser.parse_args())
    try:
        return given.pop("command")(**given) or 0
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2


def _none(_: argparse.ArgumentParser) -> None:
    """Adds no arguments."""


if __name__ == "__main__":
    sys.exit(main())

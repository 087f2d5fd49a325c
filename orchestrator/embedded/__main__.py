"""`python -m orchestrator.embedded up|down|status|purge`: a whole Lectern on this machine."""

import argparse
import asyncio
import sys

from lectern.local_stack import home as local_home
from orchestrator.embedded import CannotStart
from orchestrator.embedded.home import Home
from orchestrator.embedded.stack_commands import Console, down, purge, status


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m orchestrator.embedded", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up_command = commands.add_parser("up", help="start everything, read the sample aloud, serve until Ctrl-C")
    up_command.add_argument("--once", action="store_true", help="end when the sample is read and its audio is checked")
    commands.add_parser("down", help="stop the stack")
    commands.add_parser("status", help="print what runs; exit status 0 if it is ready")
    commands.add_parser("purge", help="stop the stack and delete its state")
    arguments = parser.parse_args()
    home, console = Home(local_home()), Console()
    try:
        match arguments.command:
            case "up":
                from orchestrator.embedded.up import up  # noqa: PLC0415 - the other commands need none of it

                asyncio.run(up(home, console, once=arguments.once))
            case "down":
                down(home, console)
            case "status":
                return 0 if status(home, console) else 1
            case "purge":
                purge(home, console)
    except CannotStart as error:
        console.error(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

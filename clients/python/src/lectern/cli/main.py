"""The `lectern` command: finds the subcommand, and turns what it raises into one line and an exit code."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from lectern.cli import captions, dialogue, read, speak, status, voices
from lectern.cli.exits import FAILURE, HELP, INTERRUPTED, USAGE, UsageError
from lectern.errors import LecternError
from lectern.version import __version__

_ENVIRONMENT: Final = """\
environment:
  LECTERN_URL      address of the server (else: the stack of this machine, else http://127.0.0.1:8000)
  LECTERN_API_KEY  key to it (else, for a server on this machine: the key of its own stack)
  LECTERN_HOME     folder of this machine's stack
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except UsageError as error:
        return _fail(error, USAGE)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output left. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except (LecternError, OSError) as error:
        # What fails while a command cleans up after Ctrl-C is not what happened.
        return INTERRUPTED if _follows_interrupt(error) else _fail(error, FAILURE)
    return code


def _follows_interrupt(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _fail(error: Exception, code: int) -> int:
    print("lectern:", " ".join(str(error).split()), file=sys.stderr)
    return code


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

"""Exit codes, and what turns an exception into one line on stderr and an exit code."""

import os
import sys
from collections.abc import Callable
from typing import Final

from lectern.errors import LecternError

OK: Final = 0
FAILURE: Final = 1
USAGE: Final = 2  # argparse uses it too
INCOMPLETE: Final = 3
INTERRUPTED: Final = 130

HELP: Final = """\
exit codes:
  0    done
  1    the service failed, refused, could not be reached, or is not ready; or the output could not be written
  2    the command line cannot be followed
  3    read, but for blocks that could not be spoken: stderr says which, and why
  130  interrupted
"""


class UsageError(Exception):
    """The command line cannot be followed."""


def exit_code(command: Callable[[], int]) -> int:
    """Runs a command. Returns its exit code, or that of what it raises."""
    try:
        code = command()
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
        # After Ctrl-C a command may fail while it cleans up; the interrupt is what happened.
        return INTERRUPTED if _follows_interrupt(error) else _fail(error, FAILURE)
    return code


def _follows_interrupt(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _fail(error: Exception, code: int) -> int:
    print("lectern:", " ".join(str(error).split()), file=sys.stderr)
    return code

"""The exit codes, and the error for what the user can put right on the command line."""

from typing import Final

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

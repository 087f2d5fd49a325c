"""What stops a start: always one line that says what to do, never a traceback."""


class CannotStart(Exception):  # noqa: N818 - it names a state of affairs, as StopIteration does
    """Lectern cannot start, or go on, on this machine; the message is one line and says what to do about it."""

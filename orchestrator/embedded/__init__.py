"""Postgres, Triton, the web process and the worker on one machine, started and kept running by one supervisor."""


class CannotStart(Exception):  # noqa: N818 - it names a state, as StopIteration does
    """Lectern cannot start, or go on, on this machine. The message is one line and says what to do about it."""

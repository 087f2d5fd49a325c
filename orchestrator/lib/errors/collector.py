"""Collects what is wrong with a request, so that all of it is told at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.lib.errors.problems import BadRequest, FieldError, TooLarge


class FieldErrors:
    def __init__(self) -> None:
        self._found: list[FieldError] = []

    def add(self, field: str, message: str) -> None:
        """``message`` goes on from the field's name."""
        self._found.append(FieldError(field, message.rstrip(".")))

    @contextmanager
    def of(self, field: str) -> Iterator[None]:
        """Takes note of what is refused in the block, which then ends there."""
        try:
            yield
        except (BadRequest, TooLarge) as problem:
            self.add(field, problem.detail.removeprefix(f"'{field}' "))

    def tell(self) -> None:
        """Raises `BadRequest` if there are any."""
        if self._found:
            detail = " ".join(f"'{one.field}' {one.message}." for one in self._found)
            raise BadRequest(detail, errors=self._found)

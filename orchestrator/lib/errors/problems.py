"""The errors that Lectern answers with. Services raise them; `problem_details` turns them into responses."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """An error of one field of a request; ``field`` is its path, such as ``text`` or ``query.limit``."""

    field: str
    message: str


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """The server failed in a way it did not foresee. The request id helps to find it in the log."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal server error"
    slug: ClassVar[str] = "internal-error"

    def __init__(
        self, detail: str | None = None, *, errors: Sequence[FieldError] = (), retry_after: int | None = None
    ) -> None:
        self.detail = detail or type(self).__doc__ or self.title
        self.errors = tuple(errors)
        self.retry_after = retry_after
        super().__init__(self.detail)


class BadRequest(Problem):
    """The request cannot be understood as it stands."""

    status = 400
    title = "Bad request"
    slug = "bad-request"


def bad_field(field: str, message: str, *, where: str = "") -> BadRequest:
    """``message`` continues the field's name, without a full stop. ``where``: the request's part, if not the body."""
    return BadRequest(f"'{field}' {message}.", errors=[FieldError(f"{where}.{field}" if where else field, message)])


class HeadersTooLarge(Problem):
    """The headers are longer than this server accepts."""

    status = 431
    title = "Headers too large"
    slug = "headers-too-large"


class Unauthenticated(Problem):
    """Send an API key as 'Authorization: Bearer KEY'."""

    status = 401
    title = "Not authenticated"
    slug = "not-authenticated"


class Forbidden(Problem):
    """What is asked for is not allowed."""

    status = 403
    title = "Forbidden"
    slug = "forbidden"


class NotFound(Problem):
    """There is nothing at this address."""

    status = 404
    title = "Not found"
    slug = "not-found"


class RequestTimeout(Problem):
    """The request took too long to arrive."""

    status = 408
    title = "Request timeout"
    slug = "request-timeout"


class NotReady(Problem):
    """What is asked for is still being prepared. Try again in a moment."""

    status = 409
    title = "Not ready"
    slug = "not-ready"


class Conflict(Problem):
    """What there is already does not allow it."""

    status = 409
    title = "Conflict"
    slug = "conflict"


class TooLarge(Problem):
    """The request is larger than this server accepts."""

    status = 413
    title = "Too large"
    slug = "too-large"


class TooMany(Problem):
    """There are more requests than this server accepts of one account."""

    status = 429
    title = "Too many requests"
    slug = "too-many-requests"


class ModelFailed(Problem):
    """The speech model failed on this request. Trying again may help."""

    status = 502
    title = "Speech model failed"
    slug = "model-failed"


class Busy(Problem):
    """The server has as much to do as it can take. Try again a little later."""

    status = 503
    title = "Busy"
    slug = "busy"


class Unavailable(Problem):
    """A part that this request needs does not answer at the moment. Try again a little later."""

    status = 503
    title = "Service unavailable"
    slug = "unavailable"


class StorageFull(Problem):
    """The server's disk is full. Try again when there is room."""

    status = 507
    title = "Insufficient storage"
    slug = "storage-full"


class TooSlow(Problem):
    """The request took longer than it may."""

    status = 504
    title = "Deadline passed"
    slug = "deadline-passed"


class FieldErrors:
    """Collects everything that is wrong with a request, so that one answer tells it all."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def add(self, field: str, message: str) -> None:
        """``message`` continues the field's name."""
        self._errors.append(FieldError(field, message.rstrip(".")))

    @contextmanager
    def collect(self, field: str) -> Iterator[None]:
        """Turns a refusal in the block, which ends there, into an error of this field."""
        try:
            yield
        except (BadRequest, TooLarge) as problem:
            self.add(field, problem.detail.removeprefix(f"'{field}' "))

    def raise_if_any(self) -> None:
        """Raises `BadRequest` with all errors."""
        if self._errors:
            detail = " ".join(f"'{one.field}' {one.message}." for one in self._errors)
            raise BadRequest(detail, errors=self._errors)

"""What can go wrong between a client and Lectern's REST API."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lectern.types import Document, FieldError


class LecternError(Exception):
    """Lectern, or the way to it, failed."""


class UnreachableError(LecternError):
    """Nobody answers at the server's address."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"nobody answers at {url} ({reason}): start Lectern there, or set LECTERN_URL to its address")
        self.url = url


class ConnectionLostError(LecternError):
    """The response stopped before its end, or did not come in time; what was received is incomplete."""


class SpeechFailedError(LecternError):
    """The server failed after its response had begun; what was received is incomplete."""


class UnexpectedResponseError(LecternError):
    """The server answered, but not as Lectern does."""


class DocumentFailedError(LecternError):
    """The server could not prepare the document."""

    def __init__(self, document: "Document") -> None:
        super().__init__(f"document {document.id} could not be prepared: {document.error or 'no reason was given'}")
        self.document = document


class DocumentNotReadyError(LecternError):
    """The document is still being prepared."""


class ApiError(LecternError):
    """The server refused the request, or failed at it."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str | None = None,
        request_id: str | None = None,
        errors: "Sequence[FieldError]" = (),
    ) -> None:
        super().__init__(status, title, detail, request_id, errors)
        self.status = status
        self.title = title
        self.detail = detail
        self.request_id = request_id
        self.errors = list(errors)
        self.retry_after: float | None = None  # seconds, if the server said when to come again

    def __str__(self) -> str:
        detail = self.detail or ""
        fields = "; ".join(f"{error.field}: {error.message}" for error in self.errors if error.message not in detail)
        text = f"{self.status} {self.title}"
        if detail and detail != self.title:
            text += f": {detail}"
        if fields:
            text += f" ({fields})"
        return f"{text} [request {self.request_id}]" if self.request_id else text


class AuthenticationError(ApiError):
    """The API key is missing or wrong."""

    def __str__(self) -> str:
        return f"{super().__str__()}: set LECTERN_API_KEY to a key of this server"


class NotFoundError(ApiError):
    """There is no such document, block, voice or model."""


class BusyError(ApiError):
    """The server is too busy, or a part of it is away. `retry_after` may say for how long."""

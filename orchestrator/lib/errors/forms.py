"""What of a form cannot be read: the sender's mistake, where Litestar would have it a failure of the server."""

from typing import Any, Final

from litestar import Request, Response

from orchestrator.lib.errors.problem_details import answer_exception
from orchestrator.lib.errors.problems import BadRequest

_ADVICE: Final = "Send text in UTF-8, and a file with a filename."


def not_utf8(request: Request[Any, Any, Any], _: UnicodeDecodeError) -> Response[bytes]:
    return answer_exception(request, BadRequest(f"A field of the form is no text. {_ADVICE}"))


def unknown_charset(request: Request[Any, Any, Any], error: LookupError) -> Response[bytes]:
    # What is looked up in vain in a dictionary or a list is of another, more exact type, and a fault of ours.
    ours = type(error) is not LookupError
    return answer_exception(request, error if ours else BadRequest(f"A field of the form has {error}. {_ADVICE}"))


UNREADABLE: Final = {UnicodeDecodeError: not_utf8, LookupError: unknown_charset}  # a router's exception handlers

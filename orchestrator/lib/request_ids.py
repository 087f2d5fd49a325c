"""The id by which a request is found again: in its response, in the log, in what its sender reports."""

import re
from typing import Final

from litestar.types import Scope

from orchestrator.lib.ids import new_id

ID_HEADER: Final = "x-request-id"
_ACCEPTABLE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id_of(scope: Scope) -> str:
    """The id in the request's header if it is a plain token, else a new one; the same at every call."""
    state = scope.setdefault("state", {})
    if "request_id" not in state:
        offered = next((value.decode("latin-1") for name, value in scope["headers"] if name == ID_HEADER.encode()), "")
        state["request_id"] = offered if _ACCEPTABLE_ID.fullmatch(offered) else str(new_id())
    return str(state["request_id"])

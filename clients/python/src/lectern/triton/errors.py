"""The errors of Triton and its models, made from gRPC status codes and from messages in responses."""
# ruff: noqa: N818 - used as `triton.Busy`, where the suffix would only repeat

import re
from typing import Final

import grpc

from lectern.errors import LecternError
from lectern_contract import SILENCE


class TritonError(LecternError):
    """Triton or one of its models did not do what was asked."""

    def __init__(self, message: str | None = None, *, model: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)
        self.model = model

    def __str__(self) -> str:
        message = super().__str__()
        return f"{self.model}: {message}" if self.model else message


class InvalidRequest(TritonError):
    """The model does not accept this input."""


class NotFound(TritonError):
    """Triton has no such model, or it is not loaded."""


class Busy(TritonError):
    """The model's queue is full, or the deadline passed while the request waited in it."""


class Cancelled(TritonError):
    """The request was cancelled before the model had finished."""


class DeadlineExceeded(TritonError):
    """No complete response came before the deadline."""


class Unreachable(TritonError):
    """Nobody answers at Triton's address, or the connection broke."""


class ModelFailure(TritonError):
    """The model failed while it worked on the request."""


class ModelLost(ModelFailure):
    """The model's process may have died: the model itself says nothing any more."""


_BY_CODE: Final[dict[grpc.StatusCode, type[TritonError]]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.UNAVAILABLE: Busy,
    grpc.StatusCode.CANCELLED: Cancelled,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
}

# gRPC uses UNAVAILABLE both for a response of the model and for its own transport, and Python's API does not say
# which of them spoke. These are openings of the transport's own texts, as gRPC 1.85 has them, and of common proxies.
_TRANSPORT: Final = re.compile(
    r"failed to connect|connections? to all backends failing|dns resolution failed|empty address list"
    r"|socket closed|stream removed|stream refused|rst_stream|goaway|received http2|transport closed|endpoint"
    r"|keepalive|ping timeout|(recv|send)msg|connection (reset|refused|timed out|attempt|closed)|broken pipe"
    r"|server (shutdown|exiting)|upstream|no healthy|errors resolving",
    re.IGNORECASE,
)

# What Triton itself says in a message before any model sees the request.
_UNKNOWN_MODEL: Final = "request for unknown model"
_STOPPING: Final = "server is stopping"
_RESTRICTED: Final = "this protocol is restricted"  # which it says as UNAVAILABLE

# Messages carry no status, so the voice backend begins its own with the name of one.
_STATED: Final = re.compile(r"(INVALID_ARG|UNAVAILABLE|CANCELLED|INTERNAL): ")
_BY_STATED_NAME: Final[dict[str, type[TritonError]]] = {
    "INVALID_ARG": InvalidRequest,
    "UNAVAILABLE": Busy,
    "CANCELLED": Cancelled,
    "INTERNAL": ModelFailure,
}


def from_rpc(error: grpc.RpcError, model: str | None) -> TritonError:
    """Returns the error for a call that ended with a gRPC status."""
    code, details = error.code(), error.details() or ""
    if details.lower().startswith(_UNKNOWN_MODEL):
        return NotFound(details, model=model)
    if details.lower().startswith(_RESTRICTED):
        return TritonError(
            f"Triton asks for another secret: give the right one, as TRITON_SECRET ({details})", model=model
        )
    if code is grpc.StatusCode.UNAVAILABLE and _TRANSPORT.match(details):
        return Unreachable(f"{Unreachable.__doc__} ({details})", model=model)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded(model=model)  # gRPC's own text says only "Deadline Exceeded"
    return _BY_CODE.get(code, ModelLost)(details, model=model)


def from_message(message: str, model: str, *, from_model: bool) -> TritonError:
    """Returns the error for a message in a response. `from_model` is false if Triton refused before the model."""
    if stated := _STATED.match(message):
        return _BY_STATED_NAME[stated[1]](message[stated.end() :], model=model)
    if from_model:  # Triton speaks for a model process that died
        return ModelLost(message, model=model)
    if message.lower().startswith(_UNKNOWN_MODEL):
        return NotFound(message, model=model)
    if message.lower().startswith(_STOPPING):
        return Unreachable(message, model=model)
    return InvalidRequest(message, model=model)


def from_load(error: grpc.RpcError, model: str) -> TritonError:
    """Returns the error for a failed load: Triton says INVALID_ARGUMENT where the model itself failed."""
    details = error.details() or ""
    if "failed to poll from model repository" in details:
        return NotFound(details, model=model)
    if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
        return ModelFailure(details, model=model)
    return from_rpc(error, model)


def silent(model: str) -> TritonError:
    """Returns the error for a request for which its model gives no sign of life any more."""
    return ModelLost(f"gave no sign of life for {SILENCE:g} s: its process may have died", model=model)

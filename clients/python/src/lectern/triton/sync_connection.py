"""The gRPC connection of the client for threads: the part that `async_connection` has to do in another way."""
# ruff: noqa: ANN401 - the generated stubs have no types

import queue
import threading
import time
from collections.abc import Generator
from typing import Any, Final

import grpc
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

import lectern_contract as contract
from lectern.triton import codec
from lectern.triton.channel import CANCEL_SECONDS, call_metadata, channel_options, grpc_target
from lectern.triton.errors import from_rpc, silent

_END: Final = object()
_WAIT: Final = 0.2  # seconds


class Connection:
    """Sends requests to the server at `address`."""

    def __init__(self, address: str, secret: str | None, connect_timeout: float) -> None:
        self._metadata = call_metadata(address, secret)
        self._channel = grpc.insecure_channel(grpc_target(address), options=channel_options(connect_timeout))
        self._stub: Any = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    def close(self) -> None:
        self._channel.close()

    def call(self, method: str, request: Any, timeout: float) -> Any:
        """Returns the response of one of the service's unary methods. Raises grpc.RpcError."""
        return getattr(self._stub, method)(request, timeout=timeout, metadata=self._metadata)

    def stream(self, request: pb.ModelInferRequest, timeout: float | None) -> Generator[Any, None, None]:
        """Yields the model's responses. Closing the generator has the model end the request. Raises TritonError."""
        call = self._stub.ModelStreamInfer(iter([request]), timeout=timeout, metadata=self._metadata)
        responses: queue.SimpleQueue[Any] = queue.SimpleQueue()
        # Read by a thread of its own: gRPC's iterator cannot be waited on for a limited time.
        reader = threading.Thread(target=_read, args=(call, responses), daemon=True)
        reader.start()
        ended = False  # the reader may still live for a moment after it has told the end
        try:
            while (response := _next(responses, request.model_name)) is not _END:
                if isinstance(response, grpc.RpcError):
                    ended = True
                    raise from_rpc(response, request.model_name) from response
                yield response
            ended = True
        finally:
            if not ended:
                self._cancel(call, reader, request)

    def _cancel(self, call: Any, reader: threading.Thread, request: pb.ModelInferRequest) -> None:
        """Has the model end the request and reads what still comes; breaks the stream off when that takes too long."""
        try:
            if request.id:
                last = iter([codec.cancel_request(request)])
                for _ in self._stub.ModelStreamInfer(last, timeout=CANCEL_SECONDS, metadata=self._metadata):
                    pass
                reader.join(CANCEL_SECONDS)
        except grpc.RpcError:
            pass  # whatever ails the server, the call ends here
        finally:
            call.cancel()


def _next(responses: "queue.SimpleQueue[Any]", model: str) -> Any:
    until = time.monotonic() + contract.SILENCE
    while time.monotonic() < until:
        try:
            # In short waits: a signal that comes just before a wait begins does not end it, so Ctrl-C would go unheard.
            return responses.get(timeout=min(_WAIT, contract.SILENCE))
        except queue.Empty:
            continue
    raise silent(model)


def _read(call: Any, responses: "queue.SimpleQueue[Any]") -> None:
    """Puts everything that comes into the queue: responses, then an error or the end."""
    try:
        for response in call:
            responses.put(response)
        responses.put(_END)
    except grpc.RpcError as error:
        responses.put(error)

"""The gRPC connection of the asyncio client: the part that `sync_connection` has to do in another way."""
# ruff: noqa: ANN401 - the generated stubs have no types

import asyncio
from collections.abc import AsyncGenerator
from functools import cached_property
from typing import Any, Final

import grpc
import grpc.aio
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

import lectern_contract as contract
from lectern.triton import codec
from lectern.triton.channel import CANCEL_SECONDS, call_metadata, channel_options, grpc_target
from lectern.triton.errors import Cancelled, from_rpc, silent

_END: Final = object()


class AsyncConnection:
    """Sends requests to the server at `address`."""

    def __init__(self, address: str, secret: str | None, connect_timeout: float) -> None:
        self._address = address
        self._metadata = call_metadata(address, secret)
        self._connect_timeout = connect_timeout
        self._cancelling: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        if self._cancelling:
            await asyncio.wait(self._cancelling)  # bounded by CANCEL_SECONDS
        await self._channel.close()

    async def call(self, method: str, request: Any, timeout: float) -> Any:
        """Returns the response of one of the service's unary methods. Raises grpc.RpcError."""
        return await getattr(self._stub, method)(request, timeout=timeout, metadata=self._metadata)

    async def stream(self, request: pb.ModelInferRequest, timeout: float | None) -> AsyncGenerator[Any, None]:
        """Yields the model's responses. Closing the generator has the model end the request. Raises TritonError."""
        call = self._stub.ModelStreamInfer([request], timeout=timeout, metadata=self._metadata)
        responses: asyncio.Queue[Any] = asyncio.Queue()
        # Read by a task of its own: gRPC breaks a stream off when a task that waits for it is cancelled.
        reader = asyncio.create_task(_read(call, responses))
        try:
            while (response := await _next(responses, request.model_name)) is not _END:
                if isinstance(response, grpc.RpcError):
                    raise from_rpc(response, request.model_name) from response
                if isinstance(response, asyncio.CancelledError):
                    raise Cancelled(model=request.model_name) from response  # the channel was closed under the call
                yield response
        finally:
            if not reader.done():
                cancelling = asyncio.create_task(self._cancel(call, reader, request))
                self._cancelling.add(cancelling)
                cancelling.add_done_callback(self._cancelling.discard)
                await asyncio.shield(cancelling)

    async def _cancel(self, call: Any, reader: asyncio.Task[None], request: pb.ModelInferRequest) -> None:
        """Has the model end the request and reads what still comes; breaks the stream off when that takes too long."""
        try:
            async with asyncio.timeout(CANCEL_SECONDS):
                if request.id:
                    last = [codec.cancel_request(request)]
                    async for _ in self._stub.ModelStreamInfer(last, metadata=self._metadata):
                        pass
                    await reader
        except (grpc.RpcError, TimeoutError):
            pass  # whatever ails the server, the call ends here
        finally:
            call.cancel()

    @cached_property
    def _channel(self) -> grpc.aio.Channel:
        # Made at first use: a gRPC channel ties itself to the running loop.
        return grpc.aio.insecure_channel(grpc_target(self._address), options=channel_options(self._connect_timeout))

    @cached_property
    def _stub(self) -> Any:
        return service_pb2_grpc.GRPCInferenceServiceStub(self._channel)


async def _next(responses: asyncio.Queue[Any], model: str) -> Any:
    try:
        async with asyncio.timeout(contract.SILENCE):
            return await responses.get()
    except TimeoutError:
        raise silent(model) from None


async def _read(call: Any, responses: asyncio.Queue[Any]) -> None:
    """Puts everything that comes into the queue: responses, then an error or the end."""
    try:
        async for response in call:
            responses.put_nowait(response)
        responses.put_nowait(_END)
    except (grpc.RpcError, asyncio.CancelledError) as error:
        responses.put_nowait(error)

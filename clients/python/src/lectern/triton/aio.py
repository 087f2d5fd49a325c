"""The direct client for asyncio. Keep in step with `sync`, its twin."""
# ruff: noqa: ANN401, ASYNC109 - the generated stubs have no types, and gRPC itself enforces a timeout

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import cached_property
from types import TracebackType
from typing import Any, Final, Self, Unpack

import grpc
import grpc.aio
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

import lectern_contract as contract
from lectern.triton import codec
from lectern.triton.channel import (
    DEADLINE_GRACE,
    LEAVE_SECONDS,
    channel_options,
    checked_address,
    secret_metadata,
    target,
)
from lectern.triton.errors import (
    Cancelled,
    DeadlineExceeded,
    ModelFailure,
    NotFound,
    TritonError,
    Unreachable,
    from_load,
    from_rpc,
    silent,
)
from lectern.triton.timing import timed
from lectern.triton.types import READY, Card, Chunk, ModelInfo, Probe, Reference, SpeakOptions, TimedChunk


class AsyncTriton:
    """Speaks to one Triton server. Every method raises a TritonError when it fails.

    Belongs to the event loop that first uses it.
    """

    def __init__(self, address: str, *, secret: str | None = None, connect_timeout: float = 5.0) -> None:
        """`secret`: what a Triton asks for whose protocols are restricted."""
        self.address = checked_address(address)
        self._carried = secret_metadata(secret)
        self._connect_timeout = connect_timeout
        self._leaving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Cancels what is under way."""
        if self._leaving:
            await asyncio.wait(self._leaving)  # bounded by LEAVE_SECONDS
        await self._channel.close()

    async def server_ready(self, *, timeout: float = 5.0) -> bool:
        """False also while nobody answers. Says nothing about the models: see `probe`."""
        try:
            response = await self._ask(self._stub.ServerReady, pb.ServerReadyRequest(), timeout)
        except (Unreachable, DeadlineExceeded):
            return False
        return bool(response.ready)

    async def server_version(self, *, timeout: float = 5.0) -> str:
        response = await self._ask(self._stub.ServerMetadata, pb.ServerMetadataRequest(), timeout)
        return str(response.version)

    async def models(self, *, timeout: float = 5.0) -> list[ModelInfo]:
        index = await self._ask(self._stub.RepositoryIndex, pb.RepositoryIndexRequest(), timeout)
        return [codec.model_info(entry, await self._metadata(entry, timeout)) for entry in index.models]

    async def load(self, model: str, *, timeout: float = 120.0) -> None:
        """Returns when the model is loaded. A model that already is gets loaded anew."""
        request = pb.RepositoryModelLoadRequest(model_name=model)
        await self._ask(self._stub.RepositoryModelLoad, request, timeout, model, from_load)

    async def unload(self, model: str, *, unload_dependents: bool = False, timeout: float = 30.0) -> None:
        """Returns when the model takes no more requests; those under way still end. Unknown models are no error."""
        request = pb.RepositoryModelUnloadRequest(model_name=model)
        request.parameters["unload_dependents"].bool_param = unload_dependents
        await self._ask(self._stub.RepositoryModelUnload, request, timeout, model)

    async def card(self, model: str, *, timeout: float = 10.0) -> Card:
        answer = codec.Answer(model)
        async with aclosing(self._stream(codec.describe_request(model), timeout)) as responses:
            cards = [card async for response in responses if (card := answer.card(response))]
        answer.end()
        if len(cards) != 1:
            raise ModelFailure(f"described itself {len(cards)} times instead of once", model=model)
        return cards[0]

    async def speak(
        self,
        model: str,
        text: str,
        *,
        voice: Mapping[str, Any] | None = None,
        language: str | None = None,
        speed: float | None = None,
        lexicon: Mapping[str, str] | None = None,
        reference: Reference | None = None,
        previous: Reference | None = None,
        markup: bool = False,
        lane: contract.Lane = "live",
        deadline: float | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        """Yields the segment's audio as the model makes it; ends only when all of it has come.

        Closing the generator cancels the request at once, so leave it by ``contextlib.aclosing`` when you may not
        read to the end. `voice` holds the model's own parameters, `previous` is
        what was spoken before, to go on from, `markup` has the text's markup obeyed where the model's card offers it,
        `deadline` is in seconds from now.
        """
        if deadline is not None and deadline <= 0:
            raise DeadlineExceeded("the deadline had passed before the request was sent", model=model)
        request = codec.speech_request(
            model,
            text,
            voice=voice,
            language=language,
            speed=speed,
            lexicon=lexicon,
            reference=reference,
            previous=previous,
            markup=markup,
            lane=lane,
            deadline=deadline,
        )
        answer = codec.Answer(model)
        timeout = None if deadline is None else deadline + DEADLINE_GRACE
        async with aclosing(self._stream(request, timeout)) as responses:
            async for response in responses:
                if (chunk := answer.chunk(response)) is not None:
                    yield chunk
        answer.end()

    async def speak_timed(
        self, model: str, text: str, **options: Unpack[SpeakOptions]
    ) -> AsyncGenerator[TimedChunk, None]:
        """As `speak`, with the words in seconds: `Card.options` makes the options of a Voicing."""
        async with aclosing(self.speak(model, text, **options)) as chunks:
            async for chunk in chunks:
                yield timed(chunk, text)

    async def probe(self, model: str, timeout: float = 5.0) -> Probe:
        """Lets the model speak a word: the only sure sign that it works."""
        start = time.perf_counter()
        first = 0.0
        samples = rate = 0
        async with aclosing(self.speak(model, contract.PROBE_TEXT, deadline=timeout)) as chunks:
            async for chunk in chunks:
                if samples == 0 and chunk.audio.size:
                    first = time.perf_counter() - start
                samples += chunk.audio.size
                rate = chunk.sample_rate
        if samples == 0:
            raise ModelFailure("answered, but without any audio", model=model)
        return Probe(time.perf_counter() - start, first, samples, rate)

    @cached_property
    def _channel(self) -> grpc.aio.Channel:
        # Made at first use: a gRPC channel ties itself to the running loop.
        return grpc.aio.insecure_channel(target(self.address), options=channel_options(self._connect_timeout))

    @cached_property
    def _stub(self) -> Any:
        return service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    async def _metadata(self, entry: Any, timeout: float) -> Any:
        if entry.state != READY:
            return None
        request = pb.ModelMetadataRequest(name=entry.name, version=entry.version)
        try:
            return await self._ask(self._stub.ModelMetadata, request, timeout, entry.name)
        except NotFound:  # unloaded since it was listed
            return None

    async def _ask(
        self,
        method: Callable[..., Awaitable[Any]],
        request: Any,
        timeout: float,
        model: str | None = None,
        translate: Callable[[grpc.RpcError, Any], TritonError] = from_rpc,
    ) -> Any:
        try:
            return await method(request, timeout=timeout, metadata=self._carried)
        except grpc.RpcError as error:
            raise translate(error, model) from error

    async def _stream(self, request: pb.ModelInferRequest, timeout: float | None) -> AsyncGenerator[Any, None]:
        call = self._stub.ModelStreamInfer([request], timeout=timeout, metadata=self._carried)
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
                leaving = asyncio.create_task(self._leave(call, reader, request))
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)
                await asyncio.shield(leaving)

    async def _leave(self, call: Any, reader: asyncio.Task[None], request: pb.ModelInferRequest) -> None:
        """Have the model end a request, and read what still comes; break its stream off if that takes too long."""
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                if request.id:
                    last = [codec.cancel_request(request)]
                    async for _ in self._stub.ModelStreamInfer(last, metadata=self._carried):
                        pass
                    await reader
        except (grpc.RpcError, TimeoutError):
            pass  # whatever ails the server, the call ends here
        finally:
            call.cancel()


_END: Final = object()


async def _next(responses: asyncio.Queue[Any], model: str) -> Any:
    try:
        async with asyncio.timeout(contract.SILENCE):
            return await responses.get()
    except TimeoutError:
        raise silent(model) from None


async def _read(call: Any, responses: asyncio.Queue[Any]) -> None:
    """Put everything that comes into the queue: responses, then an error or the end."""
    try:
        async for response in call:
            responses.put_nowait(response)
        responses.put_nowait(_END)
    except (grpc.RpcError, asyncio.CancelledError) as error:
        responses.put_nowait(error)

"""The direct client for threads. Keep in step with `aio`, its twin."""
# ruff: noqa: ANN401 - the generated stubs have no types

import queue
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from types import TracebackType
from typing import Any, Final, Self, Unpack

import grpc
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


class Triton:
    """Speaks to one Triton server. Every method raises a TritonError when it fails.

    May be shared by threads, but not across a fork.
    """

    def __init__(self, address: str, *, secret: str | None = None, connect_timeout: float = 5.0) -> None:
        """`secret`: what a Triton asks for whose protocols are restricted."""
        self.address = checked_address(address)
        self._carried = secret_metadata(secret)
        self._channel = grpc.insecure_channel(target(self.address), options=channel_options(connect_timeout))
        self._stub: Any = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cancels what is under way."""
        self._channel.close()

    def server_ready(self, *, timeout: float = 5.0) -> bool:
        """False also while nobody answers. Says nothing about the models: see `probe`."""
        try:
            response = self._ask(self._stub.ServerReady, pb.ServerReadyRequest(), timeout)
        except (Unreachable, DeadlineExceeded):
            return False
        return bool(response.ready)

    def server_version(self, *, timeout: float = 5.0) -> str:
        response = self._ask(self._stub.ServerMetadata, pb.ServerMetadataRequest(), timeout)
        return str(response.version)

    def models(self, *, timeout: float = 5.0) -> list[ModelInfo]:
        index = self._ask(self._stub.RepositoryIndex, pb.RepositoryIndexRequest(), timeout)
        return [codec.model_info(entry, self._metadata(entry, timeout)) for entry in index.models]

    def load(self, model: str, *, timeout: float = 120.0) -> None:
        """Returns when the model is loaded. A model that already is gets loaded anew."""
        request = pb.RepositoryModelLoadRequest(model_name=model)
        self._ask(self._stub.RepositoryModelLoad, request, timeout, model, from_load)

    def unload(self, model: str, *, unload_dependents: bool = False, timeout: float = 30.0) -> None:
        """Returns when the model takes no more requests; those under way still end. Unknown models are no error."""
        request = pb.RepositoryModelUnloadRequest(model_name=model)
        request.parameters["unload_dependents"].bool_param = unload_dependents
        self._ask(self._stub.RepositoryModelUnload, request, timeout, model)

    def card(self, model: str, *, timeout: float = 10.0) -> Card:
        answer = codec.Answer(model)
        with closing(self._stream(codec.describe_request(model), timeout)) as responses:
            cards = [card for response in responses if (card := answer.card(response))]
        answer.end()
        if len(cards) != 1:
            raise ModelFailure(f"described itself {len(cards)} times instead of once", model=model)
        return cards[0]

    def speak(
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
    ) -> Generator[Chunk, None, None]:
        """Yields the segment's audio as the model makes it; ends only when all of it has come.

        Closing the generator cancels the request at once, so leave it by ``contextlib.closing`` when you may not
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
        with closing(self._stream(request, timeout)) as responses:
            for response in responses:
                if (chunk := answer.chunk(response)) is not None:
                    yield chunk
        answer.end()

    def speak_timed(self, model: str, text: str, **options: Unpack[SpeakOptions]) -> Generator[TimedChunk, None, None]:
        """As `speak`, with the words in seconds: `Card.options` makes the options of a Voicing."""
        with closing(self.speak(model, text, **options)) as chunks:
            for chunk in chunks:
                yield timed(chunk, text)

    def probe(self, model: str, timeout: float = 5.0) -> Probe:
        """Lets the model speak a word: the only sure sign that it works."""
        start = time.perf_counter()
        first = 0.0
        samples = rate = 0
        with closing(self.speak(model, contract.PROBE_TEXT, deadline=timeout)) as chunks:
            for chunk in chunks:
                if samples == 0 and chunk.audio.size:
                    first = time.perf_counter() - start
                samples += chunk.audio.size
                rate = chunk.sample_rate
        if samples == 0:
            raise ModelFailure("answered, but without any audio", model=model)
        return Probe(time.perf_counter() - start, first, samples, rate)

    def _metadata(self, entry: Any, timeout: float) -> Any:
        if entry.state != READY:
            return None
        request = pb.ModelMetadataRequest(name=entry.name, version=entry.version)
        try:
            return self._ask(self._stub.ModelMetadata, request, timeout, entry.name)
        except NotFound:  # unloaded since it was listed
            return None

    def _ask(
        self,
        method: Callable[..., Any],
        request: Any,
        timeout: float,
        model: str | None = None,
        translate: Callable[[grpc.RpcError, Any], TritonError] = from_rpc,
    ) -> Any:
        try:
            return method(request, timeout=timeout, metadata=self._carried)
        except grpc.RpcError as error:
            raise translate(error, model) from error

    def _stream(self, request: pb.ModelInferRequest, timeout: float | None) -> Generator[Any, None, None]:
        call = self._stub.ModelStreamInfer(iter([request]), timeout=timeout, metadata=self._carried)
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
                self._leave(call, reader, request)

    def _leave(self, call: Any, reader: threading.Thread, request: pb.ModelInferRequest) -> None:
        """Have the model end a request, and read what still comes; break its stream off if that takes too long."""
        try:
            if request.id:
                last = iter([codec.cancel_request(request)])
                for _ in self._stub.ModelStreamInfer(last, timeout=LEAVE_SECONDS, metadata=self._carried):
                    pass
                reader.join(LEAVE_SECONDS)
        except grpc.RpcError:
            pass  # whatever ails the server, the call ends here
        finally:
            call.cancel()


_END: Final = object()
_TURN: Final = 0.2  # seconds


def _next(responses: "queue.SimpleQueue[Any]", model: str) -> Any:
    until = time.monotonic() + contract.SILENCE
    while time.monotonic() < until:
        try:
            # In short turns: a signal that comes just before a wait begins does not end it, so Ctrl-C would go unheard.
            return responses.get(timeout=min(_TURN, contract.SILENCE))
        except queue.Empty:
            continue
    raise silent(model)


def _read(call: Any, responses: "queue.SimpleQueue[Any]") -> None:
    """Put everything that comes into the queue: responses, then an error or the end."""
    try:
        for response in call:
            responses.put(response)
        responses.put(_END)
    except grpc.RpcError as error:
        responses.put(error)

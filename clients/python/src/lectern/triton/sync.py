"""The direct client for threads."""
# Generated from aio.py by `make sync-client`; what differs between the two is in their connections.
# ruff: noqa: ANN401 - the generated stubs have no types

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from types import TracebackType
from typing import Any, Self, Unpack

import grpc
from tritonclient.grpc import service_pb2 as pb

import lectern_contract as contract
from lectern.triton import codec
from lectern.triton.channel import DEADLINE_GRACE, checked_address
from lectern.triton.errors import (
    DeadlineExceeded,
    ModelFailure,
    NotFound,
    TritonError,
    Unreachable,
    from_load,
    from_rpc,
)
from lectern.triton.sync_connection import Connection
from lectern.triton.tempo import ChunkStretcher, split_speed
from lectern.triton.types import READY, Card, Chunk, ModelInfo, Probe, Reference, SpeakOptions, Speeds, TimedChunk


class Triton:
    """Speaks to one Triton server. Every method raises a TritonError when it fails.

    May be shared by threads, but not across a fork.
    """

    def __init__(self, address: str, *, secret: str | None = None, connect_timeout: float = 5.0) -> None:
        """`address` is host:port or unix:/path, `secret` that of a Triton whose protocols are restricted.

        A socket's secret is found beside it, by the user who runs that Triton.
        """
        self.address = checked_address(address)
        self._connection = Connection(self.address, secret, connect_timeout)
        self._speeds: dict[str, Speeds] = {}  # by model, as far as they were needed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cancels the requests under way."""
        self._connection.close()

    def server_ready(self, *, timeout: float = 5.0) -> bool:
        """Returns False also while nobody answers. Says nothing about the models: see `probe`."""
        try:
            response = self._call("ServerReady", pb.ServerReadyRequest(), timeout)
        except (Unreachable, DeadlineExceeded):
            return False
        return bool(response.ready)

    def server_version(self, *, timeout: float = 5.0) -> str:
        response = self._call("ServerMetadata", pb.ServerMetadataRequest(), timeout)
        return str(response.version)

    def models(self, *, timeout: float = 5.0) -> list[ModelInfo]:
        index = self._call("RepositoryIndex", pb.RepositoryIndexRequest(), timeout)
        return [codec.model_info(entry, self._metadata(entry, timeout)) for entry in index.models]

    def load(self, model: str, *, timeout: float = 120.0) -> None:
        """Loads the model, or loads it again. Returns when it is loaded."""
        request = pb.RepositoryModelLoadRequest(model_name=model)
        self._call("RepositoryModelLoad", request, timeout, model, from_load)

    def unload(self, model: str, *, unload_dependents: bool = False, timeout: float = 30.0) -> None:
        """Returns when the model takes no more requests; those under way still end. An unknown model is no error."""
        request = pb.RepositoryModelUnloadRequest(model_name=model)
        request.parameters["unload_dependents"].bool_param = unload_dependents
        self._call("RepositoryModelUnload", request, timeout, model)

    def parameters(self, model: str, *, timeout: float = 5.0) -> dict[str, str]:
        """Returns the parameters in the config.pbtxt of a loaded model."""
        response = self._call("ModelConfig", pb.ModelConfigRequest(name=model), timeout, model)
        return {name: value.string_value for name, value in response.config.parameters.items()}

    def answered(self, model: str, *, timeout: float = 5.0) -> int:
        """Returns how many requests the model has answered since it was loaded, of whatever kind."""
        response = self._call("ModelStatistics", pb.ModelStatisticsRequest(name=model), timeout, model)
        return sum(each.inference_stats.success.count for each in response.model_stats)

    def card(self, model: str, *, timeout: float = 10.0) -> Card:
        reader = codec.ResponseReader(model)
        with closing(self._connection.stream(codec.describe_request(model), timeout)) as responses:
            cards = [card for response in responses if (card := reader.card(response))]
        reader.end()
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
        speeds: Speeds | None = None,
        lexicon: Mapping[str, str] | None = None,
        reference: Reference | None = None,
        previous: Reference | None = None,
        markup: bool = False,
        lane: contract.Lane = "live",
        deadline: float | None = None,
    ) -> Generator[Chunk, None, None]:
        """Yields the segment's audio as the model makes it; ends only when all of it has come.

        Closing the generator cancels the request at once: use ``contextlib.closing`` unless you read to the end.
        `voice` has the model's own parameters. `speeds` are those of its card, which is asked for them if need be: what
        `speed` goes beyond them is made here, by stretching the audio. `previous` is the speech that this segment
        follows. `markup` says that the text has markup, for models whose card has `markup`. `deadline` is in seconds
        from now.
        """
        if deadline is not None and deadline <= 0:
            raise DeadlineExceeded("the deadline had passed before the request was sent", model=model)
        tempo = 1.0
        if speed is not None and speed != 1:
            speed, tempo = split_speed(speed, speeds or self._own_speeds(model), model)
        stretcher = ChunkStretcher(tempo) if tempo != 1 else None
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
        reader = codec.ResponseReader(model)
        timeout = None if deadline is None else deadline + DEADLINE_GRACE
        with closing(self._connection.stream(request, timeout)) as responses:
            for response in responses:
                if (chunk := reader.chunk(response)) is not None:
                    yield chunk if stretcher is None else stretcher.feed(chunk)
        reader.end()
        if stretcher is not None and (rest := stretcher.end()) is not None:
            yield rest

    def speak_timed(self, model: str, text: str, **options: Unpack[SpeakOptions]) -> Generator[TimedChunk, None, None]:
        """As `speak`, with words in seconds. `Card.options` makes the options of a Voicing."""
        with closing(self.speak(model, text, **options)) as chunks:
            for chunk in chunks:
                yield chunk.timed(text)

    def probe(self, model: str, timeout: float = 5.0) -> Probe:
        """Has the model speak a word: the only sure sign that it works."""
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
            raise ModelFailure("answered without any audio", model=model)
        return Probe(time.perf_counter() - start, first, samples, rate)

    def _own_speeds(self, model: str) -> Speeds:
        if model not in self._speeds:
            self._speeds[model] = (self.card(model)).speeds
        return self._speeds[model]

    def _metadata(self, entry: Any, timeout: float) -> Any:
        if entry.state != READY:
            return None
        request = pb.ModelMetadataRequest(name=entry.name, version=entry.version)
        try:
            return self._call("ModelMetadata", request, timeout, entry.name)
        except NotFound:  # unloaded since it was listed
            return None

    def _call(
        self,
        method: str,
        request: Any,
        timeout: float,
        model: str | None = None,
        translate: Callable[[grpc.RpcError, Any], TritonError] = from_rpc,
    ) -> Any:
        try:
            return self._connection.call(method, request, timeout)
        except grpc.RpcError as error:
            raise translate(error, model) from error

"""A Triton that answers by script, over the real wire format on loopback."""

import json
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import grpc
import numpy as np
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

from lectern.triton import Mark

Script = Callable[[pb.ModelInferRequest, grpc.ServicerContext], Iterator[pb.ModelStreamInferResponse]]


class FakeTriton(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]
    """Speaks `SAMPLES` samples a request unless a script is set for the text that is asked for."""

    def __init__(self, at: Path | None = None) -> None:
        """``at``: a socket at which it listens too."""
        self.scripts: dict[str, Script] = {}
        self.requests: list[pb.ModelInferRequest] = []
        self.metadata: list[tuple[str, str]] = []
        self.seconds_left: list[float | None] = []
        self.cancelled = threading.Event()
        self.unloaded: list[tuple[str, bool]] = []
        self.secret: str | None = None  # which all of it asks for
        self._server = grpc.server(
            ThreadPoolExecutor(max_workers=4),
            interceptors=[Restriction(self)],
            options=[("grpc.max_receive_message_length", -1)],  # as Triton
        )
        service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{self.port}"
        if at is not None:
            self._server.add_insecure_port(f"unix:{quote(str(at))}")
        self._server.start()

    def stop(self) -> None:
        self._server.stop(grace=None).wait()

    # The methods below have the names of Triton's gRPC service.
    def ServerReady(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return pb.ServerReadyResponse(ready=True)

    def ServerMetadata(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return pb.ServerMetadataResponse(version="2.51.0")

    def RepositoryIndex(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        index = pb.RepositoryIndexResponse()
        index.models.add(name="bare", state="READY", version="1")
        index.models.add(name="broken", state="UNAVAILABLE", version="1", reason="no weights")
        index.models.add(name="gone", state="READY", version="1")
        index.models.add(name="speaker", state="READY", version="1")
        return index

    def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        if request.name == "gone":
            context.abort(grpc.StatusCode.NOT_FOUND, "Request for unknown model: 'gone' is not found")
        names = (["text", "voice"], ["audio", "sample_rate", "marks", "card"])
        metadata = pb.ModelMetadataResponse(name=request.name)
        if request.name == "speaker":
            for name in names[0]:
                metadata.inputs.add(name=name)
            for name in names[1]:
                metadata.outputs.add(name=name)
        return metadata

    def RepositoryModelLoad(self, request: Any, context: Any) -> Any:  # noqa: N802
        if request.model_name == "broken":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "load failed for model 'broken': no weights")
        if request.model_name == "nowhere":
            context.abort(grpc.StatusCode.INTERNAL, "failed to load 'nowhere', failed to poll from model repository")
        return pb.RepositoryModelLoadResponse()

    def RepositoryModelUnload(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        self.unloaded.append((request.model_name, request.parameters["unload_dependents"].bool_param))
        return pb.RepositoryModelUnloadResponse()

    def ModelStreamInfer(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802
        request = next(request_iterator)
        self.requests.append(request)
        self.metadata = list(context.invocation_metadata())
        self.seconds_left.append(context.time_remaining())
        if request.parameters["describe"].bool_param:
            yield from _described()
            return
        text = inputs(request)["text"]
        yield from self.scripts.get(text, spoken)(request, context)


class Restriction(grpc.ServerInterceptor):  # type: ignore[misc]
    """As Triton does it for the protocols of --grpc-restricted-protocol."""

    def __init__(self, fake: FakeTriton) -> None:
        self._fake = fake

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
        handler = continuation(details)
        header = "triton-grpc-protocol-lectern-secret"
        if self._fake.secret in (None, dict(details.invocation_metadata).get(header)):
            return handler

        def refuse(_: Any, context: grpc.ServicerContext) -> None:
            context.abort(grpc.StatusCode.UNAVAILABLE, f"This protocol is restricted, expecting header '{header}'")

        def refuse_stream(requests: Iterator[Any], context: grpc.ServicerContext) -> None:
            list(requests)  # a stream that is refused while it is sent may end with an error of gRPC's own
            refuse(requests, context)

        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(refuse_stream)
        return grpc.unary_unary_rpc_method_handler(refuse)


def inputs(request: pb.ModelInferRequest) -> dict[str, Any]:
    """What a model would see: the value of each input tensor."""
    read: dict[str, Callable[[bytes], Any]] = {
        "BYTES": lambda raw: raw[4:].decode(),
        "FP32": lambda raw: struct.unpack("<f", raw)[0],
        "INT32": lambda raw: struct.unpack("<i", raw)[0],
        "INT16": lambda raw: np.frombuffer(raw, "<i2"),
    }
    pairs = zip(request.inputs, request.raw_input_contents, strict=True)
    return {tensor.name: read[tensor.datatype](raw) for tensor, raw in pairs}


def message(*, final: bool, **outputs: bytes) -> pb.ModelStreamInferResponse:
    response = pb.ModelStreamInferResponse()
    response.infer_response.parameters["triton_final_response"].bool_param = final
    for name, raw in outputs.items():
        response.infer_response.outputs.add(name=name)
        response.infer_response.raw_output_contents.append(raw)
    return response


def element(value: object) -> bytes:
    raw = json.dumps(value).encode()
    return struct.pack("<I", len(raw)) + raw


def chunk(samples: list[int], marks: list[Mark] | None = None, *, final: bool = False) -> pb.ModelStreamInferResponse:
    audio = np.array(samples, "<i2").tobytes()
    return message(final=final, audio=audio, sample_rate=struct.pack("<i", 22050), marks=element(marks or []))


def spoken(request: pb.ModelInferRequest, context: Any) -> Iterator[pb.ModelStreamInferResponse]:  # noqa: ARG001
    yield chunk([1, 2, 3], [Mark(0, 3, 0, 5)])
    yield chunk([-4, -5])
    yield message(final=True)


def fails(code: grpc.StatusCode, details: str, *, after: int = 0) -> Script:
    """A script that ends with a gRPC status, as a proxy or a dying server gives, once it has given `after` chunks."""

    def script(request: Any, context: Any) -> Iterator[pb.ModelStreamInferResponse]:  # noqa: ARG001
        for _ in range(after):
            yield chunk([1, 2, 3])
        context.abort(code, details)

    return script


def says(text: str, *, from_model: bool, after: int = 0) -> Script:
    """A script that ends with an error message in a response, as Triton does, once it has given `after` chunks."""

    def script(request: Any, context: Any) -> Iterator[pb.ModelStreamInferResponse]:  # noqa: ARG001
        yield from (chunk([1, 2, 3]) for _ in range(after))
        response = message(final=True) if from_model else pb.ModelStreamInferResponse()
        response.error_message = text
        yield response

    return script


def endless(fake: FakeTriton) -> Script:
    """A script that gives one chunk and then waits for the client to go away."""

    def script(request: Any, context: Any) -> Iterator[pb.ModelStreamInferResponse]:  # noqa: ARG001
        # A callback, because the server does not resume a generator whose client has left.
        context.add_callback(fake.cancelled.set)
        yield chunk([1, 2, 3])
        fake.cancelled.wait(20)

    return script


def _described() -> Iterator[pb.ModelStreamInferResponse]:
    voice = {"name": "en-us", "language": "en-US", "gender": None, "description": "", "voice": {"variant": "f2"}}
    card = {
        "sample_rate": 22050,
        "speeds": [0.5, 2],
        "lexicon": False,
        "references": False,
        "voices": [voice],
        "new": 1,
    }
    yield message(final=True, card=element(card))

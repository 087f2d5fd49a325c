"""`SpeechModel`: the speech contract over Triton's Python API, which only this module uses.

A backend's `TritonPythonModel` derives from it and creates the voice.
"""

import json
import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import triton_python_backend_utils as pb_utils

import lectern_contract as contract
from lectern_contract import LANES
from lectern_triton.parent_death import end_with_parent
from lectern_triton.voice_backend.request import Cancel, Describe, Speak, read_request
from lectern_triton.voice_backend.voice import BadRequest, Chunk, Settings, Tensors, Unavailable, Voice
from lectern_triton.voice_backend.worker_pool import STUCK, Metrics, WorkerPool

QUEUE = {"live": 64, "batch": 256}
# Triton's words for a model that is loading, being unloaded or missing; the model's name stands beside them.
_NOT_LOADED = ("is not ready", "is not found", "unknown model", "not available")


class SpeechModel(ABC):
    """One instance of one voice model, in a process of its own."""

    @abstractmethod
    def make_voice(self, settings: Settings) -> Voice:
        """Creates the voice. Any exception fails the model's load, with its message."""

    def metrics(self) -> Metrics | None:
        """Returns what records how requests go, if anything does. Called once, after `make_voice`."""
        return None

    def is_ready(self) -> bool:
        """Returns whether a request would be spoken now. Triton asks in versions after 2.51."""
        return True

    def initialize(self, args: dict[str, str]) -> None:
        """Creates the voice and starts its threads."""
        end_with_parent()
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
        config = json.loads(args["model_config"])
        parameters = {name: value["string_value"] for name, value in config.get("parameters", {}).items()}
        limits = {lane: int(parameters.get(f"{lane}_queue", QUEUE[lane])) for lane in LANES}
        folder = Path(args["model_repository"]) / args["model_version"]
        self._voice = self.make_voice(Settings(folder, parameters, TritonModels(), args["model_name"]))
        self._card = json.dumps(self._voice.card(), ensure_ascii=False).encode()
        self._rate = np.array([self._voice.card()["sample_rate"]], np.int32)
        stuck = float(parameters.get("stuck_timeout", STUCK))
        self._workers = WorkerPool(self._voice, limits, self.metrics(), stuck)

    def execute(self, requests: list[Any]) -> None:
        """Queue the requests. Other threads answer them."""
        for request in requests:
            reply = TritonReply(request.get_response_sender(), self._rate)
            tensors = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
            try:
                parsed = read_request(tensors, request.parameters())
            except BadRequest as error:
                reply.bad_request(str(error))
                continue
            match parsed:
                case Describe():
                    reply.card(self._card)
                case Cancel(request_id):
                    self._workers.cancel(request_id)
                    reply.done()
                case Speak():
                    self._workers.submit(parsed, reply, request.request_id())

    def finalize(self) -> None:
        """Stops the voice and its threads."""
        self._workers.close()


class TritonModels:
    """The other models of this server, called from within it."""

    def call(self, model: str, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        request = pb_utils.InferenceRequest(
            model_name=model,
            requested_output_names=list(outputs),
            inputs=[pb_utils.Tensor(name, value) for name, value in inputs.items()],
        )
        response = request.exec()
        if response.has_error():
            raise _error_of(model, response.error().message())
        # Copies, as the tensors lie in shared memory that is freed with the response.
        return {tensor.name(): tensor.as_numpy().copy() for tensor in response.output_tensors()}


def _error_of(model: str, message: str) -> Exception:
    """Returns the exception for another model's error, whose code within a server is only in its message."""
    code, _, reason = message.partition(": ")
    if code == "INVALID_ARG":
        return BadRequest(reason)
    if code == "UNAVAILABLE":
        return Unavailable(reason)
    if any(words in message for words in _NOT_LOADED):
        return Unavailable(f"the model {model} is not loaded at the moment: {message}")
    return RuntimeError(f"the model {model} failed: {message}")


class TritonReply:
    """Answers one request through Triton's response sender, from its worker's thread and the watching thread."""

    def __init__(self, sender: Any, rate: npt.NDArray[np.int32]) -> None:  # noqa: ANN401 - see `_end`
        self._sender = sender
        self._rate = rate
        # After the final response Triton frees what the sender points to: any further use crashes the process.
        self._ending = threading.Lock()
        self._ended = False

    def gone(self) -> bool:
        with self._ending:
            return not self._ended and bool(self._sender.is_cancelled())

    def chunk(self, chunk: Chunk) -> None:
        marks = json.dumps(chunk.marks, separators=(",", ":")).encode()
        response = pb_utils.InferenceResponse(
            [
                pb_utils.Tensor(contract.AUDIO, chunk.audio),
                pb_utils.Tensor(contract.SAMPLE_RATE, self._rate),
                pb_utils.Tensor(contract.MARKS, np.array([marks], np.object_)),
            ]
        )
        with self._ending:
            if not self._ended:
                self._sender.send(response)

    def pulse(self) -> None:
        self.chunk(Chunk(np.empty(0, np.int16)))

    def card(self, card: bytes) -> None:
        self._end(pb_utils.InferenceResponse([pb_utils.Tensor(contract.CARD, np.array([card], np.object_))]))

    def done(self) -> None:
        self._end(None)

    def bad_request(self, message: str) -> None:
        self._error("INVALID_ARG", message)

    def unavailable(self, message: str) -> None:
        self._error("UNAVAILABLE", message)

    def cancelled(self) -> None:
        self._error("CANCELLED", "the client has gone")

    def failed(self, message: str) -> None:
        self._error("INTERNAL", message)

    def _error(self, code: str, message: str) -> None:
        # The message repeats the code: in a stream Triton sends nothing else of an error.
        error = pb_utils.TritonError(f"{code}: {message}", getattr(pb_utils.TritonError, code))
        self._end(pb_utils.InferenceResponse(error=error))

    def _end(self, last: Any) -> None:  # noqa: ANN401 - Triton's types exist only inside its process
        with self._ending:
            if self._ended:
                return
            self._ended = True
            final = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL
            if last is None:
                self._sender.send(flags=final)
            else:
                self._sender.send(last, flags=final)

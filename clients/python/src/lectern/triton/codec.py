"""The speech contract on the wire: builds Triton's request messages and reads its responses, without any transport."""

import math
import struct
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

import msgspec
import numpy as np
from tritonclient.grpc import service_pb2 as pb

import lectern_contract as contract
from lectern.triton.errors import InvalidRequest, ModelFailure, ModelLost, from_message
from lectern.triton.types import Card, Chunk, Mark, ModelInfo, Reference

_LENGTH: Final = struct.Struct("<I")  # Triton puts it before each BYTES element
_MARKS: Final = msgspec.json.Decoder(list[Mark])
_CARD: Final = msgspec.json.Decoder(Card)


def speech_request(
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
) -> pb.ModelInferRequest:
    """Raises InvalidRequest for text that is not Unicode."""
    request = _request(model)
    request.id = uuid4().hex
    _add_text(request, contract.TEXT, text)
    _add_json(request, contract.VOICE, voice or {})
    if language is not None:
        _add_text(request, contract.LANGUAGE, language)
    if speed is not None:
        _add(request, contract.SPEED, "FP32", 1, struct.pack("<f", speed))
    if lexicon:
        _add_json(request, contract.LEXICON, lexicon)
    if reference is not None:
        _add_speech(request, reference, contract.REFERENCE_AUDIO, contract.REFERENCE_RATE, contract.REFERENCE_TEXT)
    if previous is not None:
        _add_speech(request, previous, contract.PREVIOUS_AUDIO, contract.PREVIOUS_RATE, contract.PREVIOUS_TEXT)
    request.parameters[contract.LANE].string_param = lane
    if markup:
        request.parameters[contract.MARKUP].bool_param = True
    if deadline is not None:
        request.parameters[contract.DEADLINE_MS].int64_param = math.ceil(deadline * 1000)
    return request


def cancel_request(request: pb.ModelInferRequest) -> pb.ModelInferRequest:
    """Returns a request that has the model end another one, which then ends with CANCELLED.

    Cancelling its stream would say the same. But Triton 2.51 may crash when a stream is cancelled while responses come,
    and then never unloads the model (triton-inference-server/server#7840 and #8034, mended in later versions).
    """
    cancel = _empty_request(request.model_name)
    cancel.parameters[contract.CANCEL].string_param = request.id
    return cancel


def describe_request(model: str) -> pb.ModelInferRequest:
    request = _empty_request(model)
    request.parameters[contract.DESCRIBE].bool_param = True
    return request


def _empty_request(model: str) -> pb.ModelInferRequest:
    request = _request(model)
    _add_text(request, contract.TEXT, "")  # required inputs, which the model does not look at
    _add_json(request, contract.VOICE, {})
    return request


def model_info(entry: pb.RepositoryIndexResponse.ModelIndex, metadata: pb.ModelMetadataResponse | None) -> ModelInfo:
    """`metadata` is None for a model that is not ready."""
    speaks = metadata is not None and _keeps_contract(metadata)
    return ModelInfo(entry.name, entry.version, entry.state, entry.reason, speaks)


def _keeps_contract(metadata: pb.ModelMetadataResponse) -> bool:
    inputs = {tensor.name for tensor in metadata.inputs}
    outputs = {tensor.name for tensor in metadata.outputs}
    return {contract.TEXT, contract.VOICE} <= inputs and {
        contract.AUDIO,
        contract.SAMPLE_RATE,
        contract.CARD,
    } <= outputs


class ResponseReader:
    """Reads the responses of one stream, in order, and knows whether the model has ended it.

    Errors are read from messages. Triton could be asked for gRPC statuses (metadata ``triton_grpc_error``), but in 2.51
    any such error may crash the whole server: of eight runs of 1,000 or 2,000 errors, three lost the server.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._complete = False

    def chunk(self, response: pb.ModelStreamInferResponse) -> Chunk | None:
        """Returns the audio in a response; None for the empty response that only ends the stream."""
        outputs = self._outputs(response)
        if not outputs:
            return None
        audio = np.frombuffer(self._output(outputs, contract.AUDIO), dtype="<i2")
        (rate,) = struct.unpack("<i", self._output(outputs, contract.SAMPLE_RATE))
        marks = self._element(outputs, contract.MARKS) if contract.MARKS in outputs else b"[]"
        try:
            return Chunk(audio, rate, _MARKS.decode(marks))
        except msgspec.DecodeError as error:
            raise self._broken(f"marks: {error}") from error

    def card(self, response: pb.ModelStreamInferResponse) -> Card | None:
        """Returns the card in a response; None for the empty response that only ends the stream."""
        outputs = self._outputs(response)
        if not outputs:
            return None
        try:
            return _CARD.decode(self._element(outputs, contract.CARD))
        except msgspec.DecodeError as error:
            raise self._broken(f"card: {error}") from error

    def end(self) -> None:
        """Raises ModelLost if the stream stopped before the model had ended it."""
        if not self._complete:
            raise ModelLost("the response stopped before its end", model=self._model)

    def _outputs(self, response: pb.ModelStreamInferResponse) -> dict[str, bytes]:
        infer = response.infer_response
        final = infer.parameters.get("triton_final_response")
        if response.error_message:
            raise from_message(response.error_message, self._model, from_model=final is not None)
        self._complete = final is not None and final.bool_param
        return {output.name: raw for output, raw in zip(infer.outputs, infer.raw_output_contents, strict=True)}

    def _output(self, outputs: dict[str, bytes], name: str) -> bytes:
        if name not in outputs:
            raise self._broken(f"no output {name!r}")
        return outputs[name]

    def _element(self, outputs: dict[str, bytes], name: str) -> bytes:
        raw = self._output(outputs, name)
        if len(raw) < _LENGTH.size or _LENGTH.unpack_from(raw)[0] != len(raw) - _LENGTH.size:
            raise self._broken(f"output {name!r} is not one BYTES element")
        return raw[_LENGTH.size :]

    def _broken(self, what: str) -> ModelFailure:
        return ModelFailure(f"the response does not keep the speech contract: {what}", model=self._model)


def _request(model: str) -> pb.ModelInferRequest:
    request = pb.ModelInferRequest(model_name=model)
    # A decoupled model may end without audio in its last response; asking for an end mark tells that from a cut.
    request.parameters["triton_enable_empty_final_response"].bool_param = True
    return request


def _add(request: pb.ModelInferRequest, name: str, datatype: str, length: int, raw: bytes) -> None:
    request.inputs.add(name=name, datatype=datatype, shape=[length])
    request.raw_input_contents.append(raw)


def _add_bytes(request: pb.ModelInferRequest, name: str, value: bytes) -> None:
    _add(request, name, "BYTES", 1, _LENGTH.pack(len(value)) + value)


def _add_text(request: pb.ModelInferRequest, name: str, value: str) -> None:
    try:
        _add_bytes(request, name, value.encode())
    except UnicodeEncodeError as error:
        raise _lone_surrogate(request, name) from error


def _add_json(request: pb.ModelInferRequest, name: str, value: Mapping[str, Any]) -> None:
    try:
        _add_bytes(request, name, msgspec.json.encode(value))
    except UnicodeEncodeError as error:
        raise _lone_surrogate(request, name) from error


def _lone_surrogate(request: pb.ModelInferRequest, name: str) -> InvalidRequest:
    message = f"{name} holds one half of a surrogate pair, which UTF-8 cannot carry: remove it"
    return InvalidRequest(message, model=request.model_name)


def _add_speech(
    request: pb.ModelInferRequest, speech: Reference, audio_name: str, rate_name: str, text_name: str
) -> None:
    audio = np.ascontiguousarray(speech.audio, dtype="<i2")
    _add(request, audio_name, "INT16", audio.size, audio.tobytes())
    _add(request, rate_name, "INT32", 1, struct.pack("<i", speech.sample_rate))
    if speech.text is not None:
        _add_text(request, text_name, speech.text)

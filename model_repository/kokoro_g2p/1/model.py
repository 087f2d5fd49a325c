"""kokoro_g2p in Triton. This file alone knows Triton's Python API."""

import json
import logging
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from g2p import BadRequest
from g2p.languages import phonemizer_for
from g2p.pipeline import next_sentence
from lectern_triton.parent_death import end_with_parent

log = logging.getLogger(__name__)


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:  # noqa: ARG002 - Triton's signature
        end_with_parent()
        logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
        phonemizer_for("en-US")  # the other languages load faster, when a request asks for them

    def execute(self, requests: list[Any]) -> list[Any]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:  # noqa: ANN401 - Triton's types exist only inside its process
        try:
            sentence = next_sentence(
                _text(request, "text"),
                int(pb_utils.get_input_tensor_by_name(request, "start").as_numpy().reshape(-1)[0]),
                _text(request, "language"),
                _table(request, "lexicon", str),
                _table(request, "normalization", bool),
                has_markup=_flag(request, "markup"),
            )
        except BadRequest as error:
            return _error("INVALID_ARG", str(error))
        except Exception as error:
            log.exception("a sentence could not be read")
            return _error("INTERNAL", f"{type(error).__name__}: {error}")
        answer = json.dumps(sentence.to_dict(), ensure_ascii=False).encode()
        return pb_utils.InferenceResponse([pb_utils.Tensor("sentence", np.array([answer], np.object_))])


def _text(request: Any, name: str) -> str:  # noqa: ANN401
    tensor = pb_utils.get_input_tensor_by_name(request, name)
    try:
        return "" if tensor is None else str(tensor.as_numpy().reshape(-1)[0].decode())
    except UnicodeDecodeError as error:
        raise BadRequest(f"{name} is not valid UTF-8: {error}") from None


def _flag(request: Any, name: str) -> bool:  # noqa: ANN401
    tensor = pb_utils.get_input_tensor_by_name(request, name)
    return tensor is not None and bool(tensor.as_numpy().reshape(-1)[0])


def _table(request: Any, name: str, kind: type) -> dict[str, Any]:  # noqa: ANN401
    try:
        table = json.loads(_text(request, name) or "{}")
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{name} is not valid JSON: {error}") from None
    if not isinstance(table, dict) or not all(isinstance(value, kind) for value in table.values()):
        raise BadRequest(f"{name} must be a JSON object whose values are each a {kind.__name__}")
    return table


def _error(code: str, message: str) -> Any:  # noqa: ANN401
    # The kind stands in the message: within a server nothing else of it arrives.
    return pb_utils.InferenceResponse(
        error=pb_utils.TritonError(f"{code}: {message}", getattr(pb_utils.TritonError, code))
    )

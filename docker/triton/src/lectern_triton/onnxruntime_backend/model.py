"""The Triton backend `onnxruntime`: runs the same model with the same config.pbtxt as NVIDIA's, where that is missing.

Only this module of the backend uses Triton's Python API. Triton merges nothing before it calls a Python model: it hands
over requests that may be merged, all of the same shape.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils

from lectern_triton.onnxruntime_backend.batch import merge, split
from lectern_triton.onnxruntime_backend.config_check import check_config
from lectern_triton.onnxruntime_backend.limits import OutOfLimits, check_limits, limits_of
from lectern_triton.onnxruntime_backend.session import open_session
from lectern_triton.parent_death import end_with_parent

log = logging.getLogger(__name__)


class TritonPythonModel:
    """One instance of one model, in a process of its own."""

    def initialize(self, args: dict[str, str]) -> None:
        end_with_parent()
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
        config = json.loads(args["model_config"])
        name = config.get("default_model_filename") or "model.onnx"
        file = Path(args["model_repository"]) / args["model_version"] / name
        self._session, self._run_options = open_session(file, config, args["model_instance_kind"])
        check_config(self._session, config)
        self._limits = limits_of(self._session.get_modelmeta().custom_metadata_map)
        self._batches: bool = config["max_batch_size"] > 0
        self._inputs = [tensor["name"] for tensor in config["input"]]
        self._outputs = [tensor["name"] for tensor in config["output"]]
        # A dimension that the config reshapes is in the request and not in the graph, or the other way round.
        self._reshapes = {
            tensor["name"]: [int(size) for size in tensor["reshape"]["shape"]]
            for tensor in [*config["input"], *config["output"]]
            if "reshape" in tensor
        }
        self._shapes = {tensor["name"]: [int(size) for size in tensor["dims"]] for tensor in config["output"]}

    def execute(self, requests: list[Any]) -> list[Any]:
        """Refuses requests out of limits, and runs the others: at once, or each alone if the model does not batch."""
        answers: list[Any] = [None] * len(requests)
        feeds = {}
        for place, request in enumerate(requests):
            feed = self._feed(request)
            try:
                check_limits(feed, self._limits)
                feeds[place] = feed
            except OutOfLimits as error:
                answers[place] = _refusal(str(error), pb_utils.TritonError.INVALID_ARG)
        for together in [list(feeds)] if self._batches else [[place] for place in feeds]:
            made = self._answers([feeds[place] for place in together])
            for place, answer in zip(together, made, strict=True):
                answers[place] = answer
        return answers

    def _answers(self, feeds: list[dict[str, Any]]) -> list[Any]:
        if not feeds:
            return []
        try:
            sizes = [len(feed[self._inputs[0]]) for feed in feeds]
            made = self._session.run(self._outputs, merge(feeds), self._run_options)
            parts = (
                split(dict(zip(self._outputs, made, strict=True)), sizes)
                if self._batches
                else [dict(zip(self._outputs, made, strict=True))]
            )
            return [self._response(part) for part in parts]
        except Exception as error:  # a failure is one of all merged requests, as in NVIDIA's backend
            log.exception("a batch of %d requests failed", len(feeds))
            return [_refusal(f"onnx runtime error: {error}", pb_utils.TritonError.INTERNAL) for _ in feeds]

    def _feed(self, request: Any) -> dict[str, Any]:  # noqa: ANN401 - Triton's types exist only inside its process
        feed = {}
        for name in self._inputs:
            value = pb_utils.get_input_tensor_by_name(request, name).as_numpy()
            if name in self._reshapes:
                value = value.reshape([*value.shape[: self._batches], *self._reshapes[name]])
            feed[name] = value
        return feed

    def _response(self, outputs: Mapping[str, Any]) -> Any:  # noqa: ANN401
        tensors = []
        for name, value in outputs.items():
            shaped = value
            if name in self._reshapes:
                shaped = value.reshape([*value.shape[: self._batches], *self._shapes[name]])
            tensors.append(pb_utils.Tensor(name, shaped))
        return pb_utils.InferenceResponse(tensors)


def _refusal(message: str, code: int) -> Any:  # noqa: ANN401
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))

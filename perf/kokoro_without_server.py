"""Speaks with Kokoro without a server: in bare ONNX Runtime, which is the floor, and in upstream's PyTorch model.

perf.kokoro runs it in the environment of `make kokoro`, sends tasks as lines of JSON and reads answers.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from kokoro_export.random_weights import Size, random_kmodel

Speaker = Callable[[Any, Any], int]


def floor(model: Path) -> Speaker:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # as the session of our own backend
    session = onnxruntime.InferenceSession(model, options)

    def speak(ids: Any, style: Any) -> int:  # noqa: ANN401
        inputs = {
            "input_ids": ids, "input_lengths": np.array([ids.shape[1]]), "style": style,
            "speed": np.ones(1, np.float32), "noise_offset": np.zeros(1, np.int64),
        }  # fmt: skip
        return int(session.run(["sample_lengths"], inputs)[0][0])

    return speak


def upstream(size: Size) -> Speaker:
    model = random_kmodel(size)

    def speak(ids: Any, style: Any) -> int:  # noqa: ANN401
        with torch.no_grad():
            return int(model.forward_with_tokens(torch.from_numpy(ids), torch.from_numpy(style), 1.0)[0].numel())

    return speak


def main() -> None:
    acoustic, voice = Path(sys.argv[1]), np.fromfile(sys.argv[2], "<f4").reshape(510, 256)
    speakers = {"floor": floor(acoustic), "upstream": upstream("tiny" if sys.argv[3] == "tiny" else "full")}
    for line in sys.stdin:
        task = json.loads(line)
        samples = 0
        wall, cpu = time.perf_counter(), time.process_time()
        for phonemes in task["sentences"]:
            ids = np.array([[0, *phonemes, 0]], np.int64)
            samples += speakers[task["way"]](ids, voice[len(phonemes) - 1 : len(phonemes)])
        answer = {
            "audio": samples / 24_000, "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu,
        }  # fmt: skip
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

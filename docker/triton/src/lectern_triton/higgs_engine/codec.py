"""The codec of Higgs Audio, from a local folder. Its methods block, and are called in threads."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.overrides import TorchFunctionMode
from transformers import HiggsAudioV2TokenizerModel

from lectern_triton.higgs_engine.codebooks import Codes
from lectern_triton.higgs_engine.messages import FRAME, RATE

SAMPLED: Final = 64  # blocks of a file of weights that identify it
BLOCK: Final = 64 << 10  # bytes


class Codec:
    """Always in float32: it is small, and codes changed by rounding would change the voice."""

    def __init__(self, folder: Path, device: str) -> None:
        self.model = HiggsAudioV2TokenizerModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
        self.model.to(device).eval()
        self.identity = identity(folder)
        config = self.model.config
        if (config.sample_rate, config.hop_length) != (RATE, FRAME):
            raise ValueError(
                f"the codec in {folder} has {config.sample_rate} Hz and {config.hop_length} samples a frame, "
                f"not {RATE} and {FRAME}: it is not that of Higgs Audio"
            )

    def encode(self, samples: bytes) -> Codes:
        """Encodes samples in the format of `messages`."""
        audio = torch.from_numpy(np.frombuffer(samples, "<i2").astype(np.float32) / 32768)
        with torch.inference_mode(), _NoDraw():
            codes = self.model.encode(audio[None, None].to(self.model.device)).audio_codes[0]
        return np.ascontiguousarray(codes.T.cpu().numpy().astype(np.int16))

    def decode(self, codes: Codes) -> NDArray[np.float32]:
        """Returns audio of shape [frames x FRAME], from -1 to 1 unless something is wrong."""
        given = torch.from_numpy(codes.T.astype(np.int64))[None].to(self.model.device)
        with torch.inference_mode():
            audio: NDArray[np.float32] = self.model.decode(given).audio_values[0, 0].float().cpu().numpy()
        return audio


class _NoDraw(TorchFunctionMode):  # type: ignore[misc] # torch is not where types are checked
    """Replaces torch.rand in this thread: HuBERT draws a number for each layer even when it drops none.

    It never uses them, but to draw them from the process's only generator would change the speech that another thread
    makes meanwhile.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the function gives
        return (torch.ones if func is torch.rand else func)(*args, **(kwargs or {}))


def identity(folder: Path) -> str:
    """Returns a hash that identifies the codec: the whole of small files, and blocks from all over those of weights."""
    digest = hashlib.sha256()
    files = [*sorted(folder.glob("*.safetensors")), folder / "config.json"]
    if len(files) < 2:  # noqa: PLR2004 - weights, and how they belong together
        raise FileNotFoundError(f"there are no weights in {folder}")
    for file in files:
        size = file.stat().st_size
        digest.update(f"{file.name} {size} ".encode())
        step = max(BLOCK, size // SAMPLED)
        with file.open("rb") as opened:
            for place in range(0, size, step):
                opened.seek(place)
                digest.update(opened.read(BLOCK))
    return digest.hexdigest()

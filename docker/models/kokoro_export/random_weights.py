"""Kokoro with random weights, for machines without the real ones: it babbles, as long and as loud as speech.

Norms and activations get parameters that are not neutral, so that a mistake in any of them shows in the sound.
"""

import math
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.utils import weight_norm

from kokoro_export.model import PackedKokoro
from kokoro_export.upstream import STYLE_ROWS, architecture, build

Size = Literal["full", "tiny"]

SEED: Final = 20_260_801
FRAMES_A_TOKEN: Final = 2.9  # as the published weights speak
LOUDNESS: Final = 0.08  # root mean square
NARROW: Final = 8  # channels of the first stage of the tiny generator

_TINY: Final = {
    "hidden_dim": 32,
    "plbert": {
        "hidden_size": 32, "embedding_size": 16, "num_attention_heads": 2, "intermediate_size": 64,
        "max_position_embeddings": 512, "num_hidden_layers": 2, "dropout": 0.1,
    },
}  # fmt: skip


def random_kmodel(size: Size) -> Any:  # noqa: ANN401 - upstream has no types
    """Returns upstream's model; `tiny` has the same parts and the same steps in time, with few channels."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(SEED)
        config = architecture()
        if size == "tiny":
            config |= _TINY
            config["istftnet"] = {**config["istftnet"], "upsample_initial_channel": 2 * NARROW}
        model = build(config)
        if size == "tiny":
            _narrow(model.decoder, config["hidden_dim"], config["style_dim"])
        _perturb(model)
        _calibrate(model)
    return model


def random_voice(name: str) -> npt.NDArray[np.float32]:
    """Returns a table of styles [510, 256] of a voice: rows near each other are alike, as in the published ones."""
    generator = np.random.default_rng([SEED, *name.encode()])
    steady, drift = generator.normal(0, 0.3, (2, 256))
    turn = np.linspace(0, math.pi, STYLE_ROWS)[:, None]
    return (steady * np.cos(turn / 4) + drift * np.sin(turn / 4)).astype(np.float32)


def random_tokens(length: int, seed: int) -> Tensor:
    """Returns random ids of the vocabulary, [1, length], with a 0 at both ends."""
    signs = torch.tensor(sorted(architecture()["vocab"].values()))
    generator = torch.Generator().manual_seed(seed)
    inner = signs[torch.randint(0, len(signs), (length - 2,), generator=generator)]
    return nn.functional.pad(inner, (1, 1)).unsqueeze(0)


def _narrow(decoder: Any, hidden: int, style: int) -> None:  # noqa: ANN401
    """Replaces the blocks to which upstream's decoder gives fixed widths by narrow ones."""
    block = type(decoder.encode)
    wide, residual = 2 * NARROW, 4
    inputs = wide + 2 + residual
    decoder.encode = block(hidden + 2, wide, style)
    decoder.decode = nn.ModuleList(
        [*(block(inputs, wide, style) for _ in range(3)), block(inputs, wide, style, upsample=True)]
    )
    decoder.asr_res = nn.Sequential(weight_norm(nn.Conv1d(hidden, residual, kernel_size=1)))
    decoder.eval().requires_grad_(requires_grad=False)


def _perturb(model: Any) -> None:  # noqa: ANN401
    for module in model.modules():
        if isinstance(module, nn.InstanceNorm1d):
            module.weight += 0.1 * torch.randn_like(module.weight)
            module.bias += 0.1 * torch.randn_like(module.bias)
    for name, parameter in model.named_parameters():
        if ".alpha" in name:
            parameter.mul_(1 + 0.3 * torch.rand_like(parameter))


def _calibrate(model: Any) -> None:  # noqa: ANN401
    """Sets the heads of durations, pitch and magnitude so that the audio has the durations and loudness of speech."""
    predictor, last = model.predictor, model.decoder.generator.conv_post
    predictor.duration_proj.linear_layer.weight *= 8
    predictor.F0_proj.weight *= 120 * math.sqrt(256 / predictor.F0_proj.in_channels)
    predictor.F0_proj.bias.fill_(110)
    bias = predictor.duration_proj.linear_layer.bias
    low, high = -12.0, 4.0
    for _ in range(12):
        bias.fill_((low + high) / 2)
        _, frames = _babble(model)
        low, high = (low, float(bias[0])) if frames > FRAMES_A_TOKEN else (float(bias[0]), high)
    loudness, _ = _babble(model)
    last.bias[: last.out_channels // 2] += math.log(LOUDNESS / loudness)


def _babble(model: Any) -> tuple[float, float]:  # noqa: ANN401
    """Returns how loud a sentence is, and how many frames a token of it lasts."""
    tokens = random_tokens(24, SEED)
    style = torch.from_numpy(random_voice("af_heart")[20:21])
    one = torch.ones(1)
    waveform, _, durations = PackedKokoro(model, int16=False)(tokens, torch.tensor([24]), style, one, one.long())
    return float(waveform.square().mean().sqrt()), float(durations.double().mean())

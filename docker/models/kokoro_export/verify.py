"""Proves, before anything is installed, that an exported model speaks as upstream's does."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch

from kokoro_export.figures import log_spectral_distance, signal_to_noise
from kokoro_export.model import PackedKokoro
from kokoro_export.reference import Reference
from kokoro_export.sentences import tokens

Style = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

# (sentence, speed, offset into the noise): short and long, slow and fast, and an offset behind the table's end
CASES: Final = ((7, 1.0, 0), (1, 0.7, 5), (25, 1.3, 70_000))
BATCH: Final = (7, 13, 1, 25, 5)

LARGEST_ERROR: Final = 1e-6  # of the packed arithmetic against upstream's, both in double precision
LARGEST_FLOAT_ERROR: Final = 1e-3  # of an item in a batch against itself alone, in single precision
SURE_SHARE: Final = 0.6  # of the items of the batch that must keep to it: a pitch that crosses a step changes an item
LARGEST_DISTANCE: Final = {"fp32": 1.0, "fp16": 2.0, "int8": 4.0}  # dB of log-spectral distance from fp32 torch


class NotTheSame(Exception):  # noqa: N818 - it names a state of affairs
    """The exported model does not speak as it should; nothing is installed."""


def check_arithmetic(kmodel: Any, style: Style) -> dict[str, float]:  # noqa: ANN401 - upstream has no types
    """Compare the packed model with upstream's, in double precision and with the pitch not rounded. Raises NotTheSame."""
    packed = PackedKokoro(kmodel, dtype=torch.float64, int16=False, pitches_a_hertz=None)
    reference = Reference(kmodel, packed.generator.source)
    cases = [(tokens()[number], speed, offset) for number, speed, offset in CASES]
    made = _speak_together(packed, cases, style)
    worst = squares = 0.0
    for (ids, speed, offset), (waveform, durations) in zip(cases, made, strict=True):
        row = torch.from_numpy(style[len(ids) - 3])
        wanted, wanted_durations = reference.speak(torch.from_numpy(ids), row, speed, offset)
        if not torch.equal(wanted_durations, durations):
            raise NotTheSame("the packed model gives other durations than upstream's")
        error = waveform - wanted
        worst, squares = max(worst, float(error.abs().max())), max(squares, float(error.square().mean()))
    if worst > LARGEST_ERROR:
        raise NotTheSame(f"the packed model differs from upstream's by {worst:.1e}: at most {LARGEST_ERROR:.0e} is taken")
    return {"upstream_max_error": worst, "upstream_rms_error": squares**0.5}


def check_file(file: Path, kmodel: Any, style: Style, precision: str) -> dict[str, float]:  # noqa: ANN401
    """Compare the file with the packed model in torch, and its batches with single runs. Raises NotTheSame."""
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    packed = PackedKokoro(kmodel, int16=False)
    sentences = [tokens()[number] for number in BATCH]
    single = [_run(session, [ids], style)[0] for ids in sentences]
    together = _run(session, sentences, style)
    errors, distances, ratios = [], [], []
    for ids, (alone, alone_durations), (waveform, durations) in zip(sentences, single, together, strict=True):
        if not np.array_equal(alone_durations, durations):
            raise NotTheSame("a sentence has other durations in a batch than alone")
        errors.append(float(np.abs(waveform - alone).max()))
        ((wanted, wanted_durations),) = _speak_together(packed, [(ids, 1.0, 0)], style)
        if precision == "fp32" and not np.array_equal(wanted_durations.numpy(), alone_durations):
            raise NotTheSame("the ONNX file gives other durations than torch")
        if alone.size == wanted.numel():
            distances.append(log_spectral_distance(wanted.numpy(), alone))
            ratios.append(signal_to_noise(wanted.numpy(), alone))
    sure = sum(error <= LARGEST_FLOAT_ERROR for error in errors) / len(errors)
    if precision == "fp32" and sure < SURE_SHARE:
        raise NotTheSame(f"only {sure:.0%} of sentences are the same in a batch as alone: {errors}")
    if not distances:
        raise NotTheSame("no sentence lasts as long as in torch")
    distance = float(np.median(distances))
    if distance > LARGEST_DISTANCE[precision]:
        raise NotTheSame(f"the sound is {distance:.1f} dB away from fp32: {LARGEST_DISTANCE[precision]} dB are taken")
    return {
        "batch_median_error": float(np.median(errors)),
        "same_durations_share": len(distances) / len(sentences),
        "log_spectral_distance_db": distance,
        "signal_to_noise_db": float(np.median(ratios)),
    }


def _speak_together(
    packed: PackedKokoro, cases: Sequence[tuple[Ids, float, int]], style: Style
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    padded, lengths, styles = _batch([ids for ids, _, _ in cases], style)
    dtype = next(packed.parameters()).dtype
    with torch.no_grad():
        waveform, samples, durations = packed(
            torch.from_numpy(padded),
            torch.from_numpy(lengths),
            torch.from_numpy(styles).to(dtype),
            torch.tensor([speed for _, speed, _ in cases], dtype=dtype),
            torch.tensor([offset for _, _, offset in cases]),
        )
    return [
        (waveform[item, : samples[item]], durations[item, : lengths[item]]) for item in range(len(cases))
    ]


def _run(
    session: onnxruntime.InferenceSession, sentences: Sequence[Ids], style: Style
) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]]:
    padded, lengths, styles = _batch(sentences, style)
    count = len(sentences)
    inputs = {
        "input_ids": padded,
        "input_lengths": lengths,
        "style": styles,
        "speed": np.ones(count, np.float32),
        "noise_offset": np.zeros(count, np.int64),
    }
    waveform, samples, durations = session.run(None, inputs)
    return [
        (waveform[item, : samples[item]] / 32_767.0, durations[item, : lengths[item]]) for item in range(count)
    ]


def _batch(sentences: Sequence[Ids], style: Style) -> tuple[Ids, Ids, Style]:
    lengths = np.array([len(ids) for ids in sentences], np.int64)
    padded = np.zeros((len(sentences), lengths.max()), np.int64)
    for row, ids in zip(padded, sentences, strict=True):
        row[: len(ids)] = ids
    return padded, lengths, style[lengths - 3]

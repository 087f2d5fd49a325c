"""The checks before an installation: each kind of broken export is refused, by the limits of every precision."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from kokoro_export.model import PackedKokoro
from kokoro_export.onnx_export import export
from kokoro_export.precision import WrongWeights, check_rounding
from kokoro_export.random_weights import random_voice
from kokoro_export.verification import NotTheSame, Sentences, check_batches, check_sound
from tests.export.test_packed_model import lstm_over_padding, no_gap, no_masking, statistics_over_all

STYLE = random_voice("af_heart")
PRECISIONS = ("fp32", "fp16", "int8")


@pytest.fixture(scope="module")
def sentences(file: Path) -> Sentences:
    return Sentences(file, STYLE)


def behind(file: Path, target: Path, output: str, nodes: Callable[[str], Iterable[Any]], *constants: Any) -> Path:
    """A copy whose output passes through more nodes, which read the name that they are given and write `output`."""
    model = onnx.load(file)
    for node in model.graph.node:
        node.output[:] = [f"{name}_before" if name == output else name for name in node.output]
    model.graph.initializer.extend(constants)
    model.graph.node.extend(nodes(f"{output}_before"))
    onnx.checker.check_model(model)
    onnx.save(model, target)
    return target


def louder(file: Path, target: Path, factor: float) -> Path:
    def nodes(name: str) -> Iterable[Any]:
        yield helper.make_node("Cast", [name], ["as_float"], to=onnx.TensorProto.FLOAT)
        yield helper.make_node("Mul", ["as_float", "factor"], ["other"])
        yield helper.make_node("Cast", ["other"], ["waveform"], to=onnx.TensorProto.INT16)

    return behind(file, target, "waveform", nodes, numpy_helper.from_array(np.float32(factor), "factor"))


def swapped(file: Path, target: Path) -> Path:
    """The first item of a batch gets the last one's sound, and so on."""
    ends = [np.array([number]) for number in (-1, np.iinfo(np.int64).min, 0, -1)]
    names = ("first", "last", "axis", "step")

    def nodes(name: str) -> Iterable[Any]:
        yield helper.make_node("Slice", [name, *names], ["waveform"])

    return behind(file, target, "waveform", nodes, *map(numpy_helper.from_array, ends, names))


def stronger(file: Path, target: Path, convolution: str, factor: float) -> Path:
    """One convolution in 8 bits gets another scale of its weights."""
    model = onnx.load(file)
    makers = {node.output[0]: node for node in model.graph.node}
    (node,) = (one for one in model.graph.node if one.op_type == "Conv" and convolution in one.name)
    (scale,) = (one for one in model.graph.initializer if one.name == makers[node.input[1]].input[1])
    scale.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(scale) * np.float32(factor), scale.name))
    onnx.save(model, target)
    return target


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("factor", [0.0, 0.83, 1.5])
def test_silence_and_another_loudness_are_refused(
    file: Path, sentences: Sentences, tmp_path: Path, precision: str, factor: float
) -> None:
    """0.83 is the gain of the transform that upstream's own exports use."""
    made = Sentences(louder(file, tmp_path / "other.onnx", factor), STYLE)
    with pytest.raises(NotTheSame, match="dB away"):
        check_sound(made, sentences.alone, precision)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_items_that_change_places_are_refused(file: Path, tmp_path: Path, precision: str) -> None:
    with pytest.raises(NotTheSame, match="away from itself alone"):
        check_batches(Sentences(swapped(file, tmp_path / "swapped.onnx"), STYLE), precision)


@pytest.mark.parametrize("without", [no_gap, statistics_over_all, no_masking, lstm_over_padding])
def test_items_that_feel_each_other_are_refused(
    tiny: Any, tmp_path: Path, without: Callable[[PackedKokoro], Any]
) -> None:
    """Whatever the precision that is asked for, the file that it is made from must meet what single precision can."""
    packed = PackedKokoro(tiny)
    with without(packed):
        export(packed, tmp_path / "leaking.onnx")
    with pytest.raises(NotTheSame, match=r"in a batch (is \d|than alone)"):
        check_batches(Sentences(tmp_path / "leaking.onnx", STYLE), "fp32")


def test_weights_in_8_bits_are_those_that_they_were(file: Path, int8: Path) -> None:
    assert 0.1 < check_rounding(file, int8)["rounding_steps"] < 0.51


@pytest.mark.parametrize("convolution", ["generator/noise_blocks.0/convs.0", "generator/blocks.5/convs.5"])
@pytest.mark.parametrize("factor", [0.5, 1.1, 4])
def test_a_wrong_scale_of_one_convolution_is_refused(
    file: Path, int8: Path, tmp_path: Path, convolution: str, factor: float
) -> None:
    with pytest.raises(WrongWeights, match=convolution):
        check_rounding(file, stronger(int8, tmp_path / "wrong.onnx", convolution, factor))


def test_a_file_without_8_bits_is_refused(file: Path) -> None:
    with pytest.raises(WrongWeights, match="no convolution"):
        check_rounding(file, file)


def test_a_wrong_weight_in_single_precision_is_refused(tiny: Any, file: Path, tmp_path: Path) -> None:
    model = onnx.load(file)
    (weights,) = (one for one in model.graph.initializer if one.name.endswith("conv_post.weight"))
    values = numpy_helper.to_array(weights) * 1.5
    weights.CopyFrom(numpy_helper.from_array(values.astype(np.float32), weights.name))
    onnx.save(model, tmp_path / "wrong.onnx")
    made = Sentences(tmp_path / "wrong.onnx", STYLE)
    with pytest.raises(NotTheSame, match="dB away"):
        check_sound(made, made.in_torch(tiny), "fp32")

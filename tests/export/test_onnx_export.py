"""The ONNX file: what is exported, converted, checked, installed; and the tiny one that other tests are given."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from kokoro_export import __main__ as command
from kokoro_export.batch_packing import GAP
from kokoro_export.harmonic_source import PITCHES_A_HERTZ
from kokoro_export.install import CARD, MODEL, VOICES
from kokoro_export.model import PackedKokoro
from kokoro_export.onnx_export import export, with_pitch
from kokoro_export.precision import to_int8
from kokoro_export.random_weights import random_voice
from kokoro_export.upstream import NotAVoice, published_voices, read_published_voice
from kokoro_export.verification import Sentences, check_arithmetic, check_batches, check_sound
from tests.export.random_sentences import batch, cases

KEPT = Path(__file__).parents[1] / "models" / "kokoro_tiny"
STYLE = random_voice("af_heart")
CLOSE = 1e-5


def run(session: onnxruntime.InferenceSession, chosen: list[Any]) -> list[Any]:
    names = ("input_ids", "input_lengths", "style", "speed", "noise_offset")
    return list(session.run(None, dict(zip(names, (value.numpy() for value in batch(chosen)), strict=True))))


def test_items_of_a_batch_are_what_they_are_alone(tiny: Any, tmp_path: Path) -> None:
    """In single precision; at least nine of ten to 1e-5, and the rest differ by single steps of the pitch."""
    export(PackedKokoro(tiny, int16=False), tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(with_pitch(tmp_path / "model.onnx"))
    errors = []
    for seed in range(6):
        chosen = cases(seed, count=5)
        waveform, samples, durations, pitches = run(session, chosen)
        first = 0  # of the item's pitches on the packed axis
        for item, case in enumerate(chosen):
            alone, alone_samples, alone_durations, alone_pitch = run(session, [case])
            assert samples[item] == alone_samples[0]
            assert np.array_equal(durations[item, : len(case.ids)], alone_durations[0])
            errors.append(float(np.abs(waveform[item, : samples[item]] - alone[0]).max()))
            count = 2 * int(durations[item].sum())
            steps = np.abs(pitches[0, 0, first : first + count] - alone_pitch[0, 0, :count]) * PITCHES_A_HERTZ
            first += count + 2 * GAP
            assert set(steps) <= {0.0, 1.0}
            assert errors[-1] < CLOSE or steps.any(), "it differs, and its pitch does not"
    assert sum(error < CLOSE for error in errors) >= 0.9 * len(errors), sorted(errors)[-6:]


def test_speed_is_not_a_constant_of_the_graph(file: Path) -> None:
    session = onnxruntime.InferenceSession(file)
    (case,) = cases(3, count=1, longest=60)
    normal = run(session, [case._replace(speed=1.0)])[1][0]
    assert run(session, [case._replace(speed=1.5)])[1][0] == pytest.approx(normal / 1.5, rel=0.15)


def test_what_is_kept_is_what_is_built(file: Path) -> None:
    """Runs `make kokoro` as tests/models/kokoro_tiny/README.md says if it is not."""
    built, kept = onnx.load(file), onnx.load(KEPT / "model.onnx")
    assert [node.op_type for node in built.graph.node] == [node.op_type for node in kept.graph.node]
    sessions = [onnxruntime.InferenceSession(path) for path in (file, KEPT / "model.onnx")]
    chosen = cases(5, count=3)
    (one, samples, durations), (other, kept_samples, kept_durations) = (run(session, chosen) for session in sessions)
    assert np.array_equal(samples, kept_samples)
    assert np.array_equal(durations, kept_durations)
    far = [np.abs(a.astype(int) - b.astype(int)).max() for a, b in zip(one, other, strict=True)]
    assert np.median(far) <= 2


def test_the_checks_pass_what_is_right(tiny: Any, file: Path) -> None:
    sentences = Sentences(file, STYLE)
    figures = (
        check_arithmetic(tiny, STYLE)
        | check_batches(sentences, "fp32")
        | check_sound(sentences, sentences.in_torch(tiny), "fp32")
    )
    assert figures["upstream_max_error"] < 1e-6
    assert figures["signal_to_noise_db"] > 30


@pytest.mark.parametrize(("precision", "ratio", "distance"), [("fp16", 35, 0.2), ("int8", 20, 2.0)])
def test_other_precisions_stay_near(
    file: Path, request: pytest.FixtureRequest, precision: str, ratio: float, distance: float
) -> None:
    target = request.getfixturevalue(precision)
    types = {node.op_type for node in onnx.load(target).graph.node}
    assert ("Cast" if precision == "fp16" else "QuantizeLinear") in types
    sentences = Sentences(target, STYLE)
    figures = check_batches(sentences, precision) | check_sound(sentences, Sentences(file, STYLE).alone, precision)
    assert figures["signal_to_noise_db"] > ratio
    assert figures["log_spectral_distance_db"] < distance


def test_8_bits_are_the_same_each_time(file: Path, int8: Path, tmp_path: Path) -> None:
    to_int8(file, tmp_path / "again.onnx", [STYLE])
    assert (tmp_path / "again.onnx").read_bytes() == int8.read_bytes()


def test_the_command_installs_and_the_version_follows_the_voices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--random", "tiny", "--work", str(tmp_path / "work")]
    versions = []
    for number, voices in enumerate(("af_heart,af_sky", "af_heart,bf_emma")):
        repository = tmp_path / str(number)
        assert command.main([*arguments, "--repository", str(repository), "--voices", voices]) == 0
        card = json.loads((repository / CARD).read_text())
        assert (card["weights"], card["precision"]) == ("tiny", "fp32")
        assert (repository / MODEL).stat().st_size > 1_000_000
        assert sorted(path.stem for path in (repository / VOICES).iterdir()) == sorted(voices.split(","))
        assert all(path.stat().st_size == 510 * 256 * 4 for path in (repository / VOICES).iterdir())
        versions.append(card["version"])
    assert versions[0] != versions[1]
    said = capsys.readouterr().err
    assert said.count("exporting to ONNX") == 1, "what was checked is kept"
    assert not list(tmp_path.rglob(".*-*"))


def test_without_a_way_to_the_hub_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LECTERN_WEIGHTS_MIRROR", "http://127.0.0.1:1/hub")
    monkeypatch.setattr("weights.download.time.sleep", lambda _: None)
    shutil.copytree(KEPT, tmp_path / "kokoro")
    arguments = ["--repository", str(tmp_path), "--work", str(tmp_path / "work")]
    assert command.main(arguments) == command.UNREACHABLE
    said = capsys.readouterr().err
    assert "LECTERN_WEIGHTS_MIRROR" in said
    assert "espeak" in said
    assert (tmp_path / CARD).exists()


def test_all_published_voices_are_locked() -> None:
    names = published_voices()
    assert len(names) == 54
    assert {"af_heart", "bf_emma", "zm_yunyang", "pf_dora"} <= set(names)


def test_a_published_voice_is_read_and_another_file_refused(tmp_path: Path) -> None:
    import torch  # noqa: PLC0415 - after the skip of the conftest

    table = torch.randn(510, 1, 256)
    torch.save(table, tmp_path / "af_x.pt")
    assert np.array_equal(read_published_voice(tmp_path / "af_x.pt"), table[:, 0].numpy())
    torch.save(torch.randn(511, 1, 256), tmp_path / "af_y.pt")
    with pytest.raises(NotAVoice, match="af_y"):
        read_published_voice(tmp_path / "af_y.pt")

"""The measurement of Higgs, run with voice models that need no weights: its figures must be those of what it did."""

import json
from pathlib import Path

import pytest

from perf import higgs
from tests.fake_higgs import hum, write_preset
from tests.stack import Stack


def measured(stack: Stack, tmp_path: Path, *options: str) -> dict[str, object]:
    file = tmp_path / "report.json"
    metrics = f"127.0.0.1:{stack.record['ports']['triton_metrics']}"
    places = ["--triton", stack.triton_address, "--metrics", metrics, "--json", str(file)]
    assert higgs.main([*places, "--requests", "2", "--sentences", "1", *options]) == 0
    return dict(json.loads(file.read_text()))


def test_models_are_measured_by_concurrency(stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = measured(stack, tmp_path, "--models", "espeak,missing", "--concurrency", "1,3")
    models = report["models"]
    assert isinstance(models, dict)
    assert list(models) == ["espeak"]
    rounds = models["espeak"]["rounds"]
    assert [(one["concurrency"], one["requests"]) for one in rounds] == [(1, 2), (3, 6)]
    for one in rounds:
        assert one["failures"] == {}
        assert 0 < one["first_audio_p50"] <= one["first_audio_p99"] < one["wall"]
        assert one["audio_per_second"] == pytest.approx(one["audio"] / one["wall"])
        assert one["memory"]["triton"] > 20 << 20
    said = capsys.readouterr().out
    assert "espeak: start not told" in said
    assert "device: " in said


def test_of_an_engine_its_start_and_its_memory_are_told(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = measured(stack, tmp_path, "--models", "higgs", "--voice", "low", "--concurrency", "2")
    models = report["models"]
    assert isinstance(models, dict)
    start = models["higgs"]["start"]
    assert len(start) > 1
    assert all(0 <= seconds <= start["total"] for seconds in start.values())
    (one,) = models["higgs"]["rounds"]
    assert one["failures"] == {}
    assert 0 < one["memory"]["fake_driver"] < one["memory"]["triton"]
    assert "so that a GPU is worth keeping for" in capsys.readouterr().out


def test_a_recording_can_take_the_place_of_a_voice(stack: Stack, tmp_path: Path) -> None:
    write_preset(tmp_path / "mine", hum(200, 16_000), 16_000)
    given = ["--reference", str(tmp_path / "mine" / "audio.wav"), "--reference-text", "A hum."]
    report = measured(stack, tmp_path, "--models", "higgs", "--concurrency", "1", *given)
    models = report["models"]
    assert isinstance(models, dict)
    assert models["higgs"]["rounds"][0]["failures"] == {}


def test_what_fails_is_counted_and_not_hidden(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A text of this length is refused by every model.
    monkeypatch.setattr(higgs, "texts", lambda count, *_: ["Good morning."] + ["x" * 3_000] * (count - 1))
    report = measured(stack, tmp_path, "--models", "espeak", "--concurrency", "1")
    models = report["models"]
    assert isinstance(models, dict)
    (one,) = models["espeak"]["rounds"]
    assert one["requests"] == 1
    assert sum(one["failures"].values()) == 1
    assert "1 FAILED" in capsys.readouterr().out


def test_who_speaks_on_and_on_counts_and_is_told(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(higgs, "texts", lambda count, *_: ["On and on. {endless}"] * count)
    report = measured(stack, tmp_path, "--models", "higgs", "--concurrency", "1")
    models = report["models"]
    assert isinstance(models, dict)
    (one,) = models["higgs"]["rounds"]
    assert (one["requests"], one["unfinished"], one["failures"]) == (2, 2, {})
    assert one["audio"] > 2
    assert "2 unfinished" in capsys.readouterr().out


def test_the_texts_are_the_same_for_the_same_seed() -> None:
    assert higgs.texts(3, 2, 5) == higgs.texts(3, 2, 5)
    assert higgs.texts(3, 2, 5) != higgs.texts(3, 2, 6)


def test_a_model_that_is_not_there_is_told(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert higgs.main(["--triton", stack.triton_address, "--models", "missing"]) == 1
    assert "has loaded none of missing" in capsys.readouterr().err


def test_a_triton_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert higgs.main(["--triton", "127.0.0.1:1"]) == 1
    assert "127.0.0.1:1" in capsys.readouterr().err

"""The measurement of Kokoro, run with tiny weights: it runs through, whatever the admission refuses at first."""

import json
from pathlib import Path
from typing import Any

import pytest

from perf import kokoro
from tests.stack import Stack


def measured(stack: Stack, tmp_path: Path, *options: str) -> dict[str, Any]:
    file = tmp_path / "report.json"
    places = ["--url", stack.url, "--key", stack.api_key, "--triton", stack.triton_address, "--json", str(file)]
    places += ["--repository", str(stack.home.with_name("models")), "--repetitions", "1"]
    assert kokoro.main([*places, *options]) == 0
    return dict(json.loads(file.read_text()))


def test_both_ways_that_are_served_are_measured_by_concurrency(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = measured(stack, tmp_path, "--ways", "triton,rest", "--kinds", "short,mixed", "--sentences", "3")
    assert report["card"]["weights"] == "tiny"
    for kind in ("short", "mixed"):
        rounds = report["throughput"][kind]
        assert set(rounds) == {f"{way} x{number}" for way in ("triton", "rest") for number in kokoro.CONCURRENCY}
        for (one,) in rounds.values():
            assert one["audio"] > 3
            assert one["cpu"] > 0
            assert one["wall"] > 0
    assert all(first > 0 for first in report["first_audio_ms"]["long"])
    said = capsys.readouterr().out
    assert "mixed: audio seconds for each second" in said
    assert "first audio of a long text, ms" in said


def test_an_environment_that_is_not_there_is_told(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kokoro, "ROOT", tmp_path)
    places = ["--url", stack.url, "--key", stack.api_key, "--triton", stack.triton_address]
    assert kokoro.main([*places, "--repository", str(stack.home.with_name("models"))]) == 1
    assert "--ways triton,rest" in capsys.readouterr().err


def test_a_way_that_there_is_not_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        kokoro.main(["--ways", "triton,soap"])
    assert "--ways has no soap: there are floor, upstream, triton, rest" in capsys.readouterr().err

"""What model.json and the environment say, before vLLM is there."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lectern_triton.higgs_engine.omni import environment, load


@contextmanager
def phase(_: str) -> Iterator[None]:
    yield


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def install(folder: Path, kind: str) -> None:
    for part in ("weights", "codec", "1"):
        (folder / part).mkdir()
    (folder / "weights" / "config.json").write_text(json.dumps({"model_type": kind}))


def test_what_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"model: .*weights is not there"):
        load({}, phase)
    (folder / "weights").mkdir()
    with pytest.raises(FileNotFoundError, match=r"codec: .*codec is not there"):
        load({}, phase)


@pytest.mark.parametrize(("kind", "file"), [("higgs_audio_v2", "v2.yaml"), ("higgs_multimodal_qwen3", "v3.yaml")])
def test_the_checkpoint_says_which_deploy_file(folder: Path, kind: str, file: str) -> None:
    install(folder, kind)
    with pytest.raises(FileNotFoundError, match=f"deploy_config: .*1/{file} is not there"):
        load({}, phase)


def test_another_model_is_refused(folder: Path) -> None:
    install(folder, "llama")
    with pytest.raises(ValueError, match="of type llama, not higgs_audio_v2 or higgs_multimodal_qwen3"):
        load({}, phase)


def test_caches_are_in_one_folder_unless_told_otherwise(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*environment.CACHES, *environment.ALWAYS, "HIGGS_AUDIO_TOKENIZER_PATH"):
        monkeypatch.setenv(name, "")  # so that it is put back afterwards
        monkeypatch.delenv(name)
    monkeypatch.setenv(environment.CACHE, "kept")
    monkeypatch.setenv("TRITON_CACHE_DIR", "/elsewhere")
    environment.prepare(folder / "codec")
    found = os.environ
    assert found["VLLM_CACHE_ROOT"] == str(folder / "kept" / "vllm")
    assert found["TRITON_CACHE_DIR"] == "/elsewhere"
    assert found["HIGGS_AUDIO_TOKENIZER_PATH"] == str(folder / "codec")
    assert found["HF_HUB_OFFLINE"] == "1"

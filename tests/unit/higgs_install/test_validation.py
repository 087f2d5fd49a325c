"""What is fetched must be what the engines load."""

import json
import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from higgs_install.checkpoint import NotWeights, tensor_shapes
from higgs_install.families import FAMILIES
from higgs_install.presets import PRESETS, check_recording, read_presets, write_buzz
from higgs_install.validation import check_codec, check_v2, check_v3
from lectern_triton.vllm_omni_backend import presets as backend
from tests.unit.higgs_install.checkpoints import CODEC, V2, V3, Files, codec, recording, safetensors, sharded, v2, v3
from tests.unit.higgs_install.conftest import FOLDER
from weights.hub_lock import HubLock

SHAPES = {"a": (2, 3), "b": (4,)}


def laid(folder: Path, files: Files) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_what_is_whole_passes(tmp_path: Path) -> None:
    assert check_v2(laid(tmp_path / "v2", v2()))["tensors"] == 24
    assert check_v3(laid(tmp_path / "v3", v3()))["tensors"] == 26
    assert check_codec(laid(tmp_path / "codec", codec()))["parameters"] == 8 * 2_048 + 48


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("config.json", "config.json is not there"),
        ("tokenizer.json", "tokenizer.json is not there"),
        ("tokenizer_config.json", "tokenizer_config.json is not there"),
        ("processor_config.json", "processor_config.json is not there"),
        ("chat_template.jinja", "prompts are made by it"),
        ("model.safetensors", "model.safetensors is not there"),
    ],
)
def test_a_missing_file_is_named(tmp_path: Path, missing: str, said: str) -> None:
    laid(tmp_path, v2())
    (tmp_path / missing).unlink()
    with pytest.raises(NotWeights, match=said):
        check_v2(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "llama"}, "llama"),
        ({"architectures": ["LlamaForCausalLM"]}, "HiggsAudioV2ForConditionalGeneration belongs"),
        ({"hidden_size": 16}, r"embed_tokens.weight is \[32, 8\] where config.json makes it \[32, 16\]"),
        ({"num_hidden_layers": 3}, r"no tensor model\.layers\.2\."),
        ({"codebook_size": 5}, "embed_audio_tokens"),
    ],
)
def test_the_configuration_must_fit_the_weights(tmp_path: Path, change: dict[str, object], said: str) -> None:
    with pytest.raises(NotWeights, match=said):
        check_v2(laid(tmp_path, v2(V2 | change)))


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path) -> None:
    laid(tmp_path, v2() | {"tokenizer.json": v3()["tokenizer.json"]})
    with pytest.raises(NotWeights, match="AUDIO_OUT"):
        check_v2(tmp_path)


def test_the_families_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotWeights, match="higgs_multimodal_qwen3"):
        check_v2(laid(tmp_path / "v3", v3()))
    with pytest.raises(NotWeights, match="higgs_audio_v2"):
        check_v3(laid(tmp_path / "v2", v2()))


def test_v3_must_bring_its_codec(tmp_path: Path) -> None:
    shapes = {name: shape for name, shape in tensor_shapes(laid(tmp_path, v3(V3))).items() if ".model." not in name}
    (tmp_path / "model.safetensors").write_bytes(safetensors(shapes))
    with pytest.raises(NotWeights, match="no codebook 0"):
        check_v3(tmp_path)


@pytest.mark.parametrize(
    "files",
    [
        {"config.json": json.dumps(CODEC | {"sample_rate": 16_000}).encode()},
        {"preprocessor_config.json": b'{"sampling_rate": 44100}'},
        {"model.safetensors": v2()["model.safetensors"]},
        {"model.safetensors": safetensors({f"quantizer.quantizers.{n}.codebook.embed": (1_024, 2) for n in range(8)})},
    ],
)
def test_another_codec_is_refused(tmp_path: Path, files: Files) -> None:
    with pytest.raises(NotWeights):
        check_codec(laid(tmp_path, codec() | files))


def test_weights_in_several_files_are_read_by_their_index(tmp_path: Path) -> None:
    assert tensor_shapes(laid(tmp_path, sharded(SHAPES))) == SHAPES


def test_an_index_that_is_wrong_is_refused(tmp_path: Path) -> None:
    files = sharded(SHAPES)
    files["model.safetensors.index.json"] = files["model.safetensors.index.json"].replace(b'"a"', b'"c"')
    with pytest.raises(NotWeights, match="no such tensor"):
        tensor_shapes(laid(tmp_path, files))


@pytest.mark.parametrize(
    "content",
    [b"", b"x" * 7, b"\xff" * 8, b"\x02" + bytes(7) + b"[]", safetensors(SHAPES)[:-1], safetensors(SHAPES) + b"x"],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(NotWeights):
        tensor_shapes(laid(tmp_path, {"model.safetensors": content}))


@pytest.mark.parametrize("content", [recording(2.0), recording(31.0), recording(5.0, channels=2), b"RIFFnothing"])
def test_a_recording_that_the_model_does_not_take_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(NotWeights):
        check_recording(laid(tmp_path, {"audio.wav": content}) / "audio.wav")


def test_the_locks_of_the_checkout_are_whole() -> None:
    for family in FAMILIES.values():
        for part in family.parts.values():
            lock = HubLock.of(FOLDER / "higgs_install" / part.lock)
            assert len(lock.revision) == 40
            assert lock.file.read_text().count("\n[sha256]\n") == 1
            assert all(len(digest) == 64 for digest in lock.reported.values())


def test_the_backend_reads_a_preset_as_it_is_installed(tmp_path: Path) -> None:
    one = read_presets(PRESETS)[0][0]
    folder = tmp_path / one.name
    folder.mkdir()
    (folder / "audio.wav").write_bytes(recording(6.4))
    (folder / "voice.toml").write_text(one.voice_toml())
    made = tmp_path / "buzz"
    made.mkdir()
    write_buzz(made)
    found = backend.read_presets(tmp_path)
    assert found[one.name].about.transcript == one.about["transcript"]
    assert found[one.name].about.source == one.recording.url
    assert found["buzz"].reference.audio.size == 6 * 24_000
    assert -32_768 < int(found["buzz"].reference.audio.min()) < -10_000


def test_the_presets_of_the_checkout_are_whole() -> None:
    presets, default = read_presets(PRESETS)
    assert default in [one.name for one in presets]
    for one in presets:
        voice = tomllib.loads(one.voice_toml())
        assert voice.keys() == {"transcript", "language", "gender", "description", "licence", "source"}
        assert voice["transcript"].endswith(".")
        assert voice["gender"] in ("female", "male")
        assert "/f04f5df76a6a7b14674e0d6d715b436c422883c6/" in one.recording.url


def test_a_template_in_the_tokenizer_will_do(tmp_path: Path) -> None:
    laid(tmp_path, v2() | {"tokenizer_config.json": b'{"chat_template": "{{ messages }}"}'})
    (tmp_path / "chat_template.jinja").unlink()
    check_v2(tmp_path)


@pytest.mark.parametrize(("answer", "status"), [("boson-higgs-audio-2-community", 0), ("yes", 1), ("", 1)])
def test_on_a_terminal_the_name_is_typed(answer: str, status: int) -> None:
    code = (
        "import sys\nfrom higgs_install.licences import *\n"
        "try: print(accept([HIGGS_AUDIO_2], {}, input if sys.stdin.isatty() else None)[0].how)\n"
        "except NotAccepted: sys.exit(1)"
    )
    mine, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=theirs, stdout=subprocess.PIPE, env={"PYTHONPATH": str(FOLDER)}, text=True
    ) as process:
        os.close(theirs)
        os.write(mine, f"{answer}\n".encode())
        said, _ = process.communicate(timeout=30)
        os.close(mine)
    assert process.returncode == status
    assert said.endswith("typed\n") is (status == 0)

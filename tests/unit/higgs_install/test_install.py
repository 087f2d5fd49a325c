"""`make higgs` from one end to the other, against a hub on this machine."""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub.constants import DOWNLOAD_CHUNK_SIZE

from higgs_install.presets import check_recording
from tests.unit.higgs_install.checkpoints import V2, codec, recording, v2
from tests.unit.higgs_install.conftest import FOLDER, LICENCE
from tests.unit.higgs_install.hub import Hub, Repository

V2_LICENCE = "boson-higgs-audio-2-community"
V3_LICENCE = "boson-higgs-tts-3-research-and-non-commercial"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(hub: Hub, locks: Path, tmp_path: Path) -> Run:
    """Runs the command as the Makefile does, with nobody at a terminal."""
    presets = tmp_path / "presets.toml"
    presets.write_text(f'source = "{hub.url}/raw"\ndefault = "woman"\n' + _preset("woman", 6.4) + _preset("man", 7.7))
    places = {"locks": locks, "presets": presets, "repository": tmp_path / "models", "work": tmp_path / "work"}

    def command(do: str, family: str = "v2", *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
        arguments = [part for name, place in places.items() for part in (f"--{name}", str(place))] + list(more)
        return subprocess.run(
            [sys.executable, "-m", "higgs_install", do, "--family", family, *arguments],
            env={
                "PATH": os.environ["PATH"], "PYTHONPATH": str(FOLDER), "HOME": str(tmp_path / "home"), **environment
            },
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return command


def _preset(name: str, seconds: float) -> str:
    digest = hashlib.sha256(recording(seconds)).hexdigest()
    return (
        f'[preset.{name}]\nfile = "{name}.wav"\nsha256 = "{digest}"\nlanguage = "en"\ngender = "female"\n'
        f'description = "A \\"{name}\\""\ntranscript = "Grüße!"\nlicence = "free"\n'
    )


def accepted(run: Run, family: str = "v2") -> None:
    assert run("lock", family).returncode == 0
    result = run(
        "install", family, LECTERN_ACCEPT_LICENCE=f"{V3_LICENCE},{V2_LICENCE}" if family == "v3" else V2_LICENCE
    )
    assert result.returncode == 0, result.stderr


def read(file: Path) -> dict[str, object]:
    return dict(json.loads(file.read_text()))


def test_nothing_is_fetched_that_no_lock_names(run: Run, hub: Hub, tmp_path: Path) -> None:
    result = run("install", LECTERN_ACCEPT_LICENCE=V2_LICENCE)
    assert result.returncode == 1
    assert "make higgs-lock FAMILY=v2" in result.stderr
    assert hub.state.asked == []
    assert not (tmp_path / "models").exists()


def test_a_lock_names_every_file_but_code_and_pickles(run: Run, hub: Hub, locks: Path) -> None:
    result = run("lock")
    assert result.returncode == 0, result.stderr
    for name, repository in (("v2", "acme/higgs-2"), ("codec", "acme/codec")):
        files = hub.repositories[repository].files
        text = (locks / f"{name}.lock.toml").read_text()
        assert text.startswith("# kept as it is\n")
        assert tomllib.loads(text)["sha256"] == {
            file: hashlib.sha256(content).hexdigest()
            for file, content in files.items()
            if not file.endswith((".md", ".py", ".pth"))
        }
    assert "model.safetensors" not in hub.downloads()  # the hub's word is enough for what is large


def test_a_branch_becomes_the_commit_that_it_is(run: Run, hub: Hub, locks: Path) -> None:
    lock = locks / "v2.lock.toml"
    commit = hub.repositories["acme/higgs-2"].commit
    lock.write_text(lock.read_text().replace(commit, "main"))
    assert run("lock").returncode == 0
    assert tomllib.loads(lock.read_text())["source"].endswith(f"/acme/higgs-2/resolve/{commit}")


def test_the_hub_must_not_contradict_what_is_reported(run: Run, locks: Path) -> None:
    lock = locks / "v2.lock.toml"
    before = lock.read_text().replace("[sha256]", f'[reported]\n"config.json" = "{"0" * 64}"\n\n[sha256]')
    lock.write_text(before)
    result = run("lock")
    assert result.returncode == 1
    assert "config.json" in result.stderr
    assert "find out why" in result.stderr
    assert lock.read_text() == before


@pytest.mark.parametrize("given", [{}, {"LECTERN_ACCEPT_LICENCE": "yes"}, {"LECTERN_ACCEPT_LICENCE": V3_LICENCE}])
def test_without_its_licence_accepted_by_name_nothing_is_fetched(run: Run, hub: Hub, given: dict[str, str]) -> None:
    assert run("lock").returncode == 0
    asked = len(hub.state.asked)
    result = run("install", **given)
    assert result.returncode == 4
    assert "100,000 annual active users" in result.stderr
    assert "blob/main/LICENSE" in result.stderr
    assert V2_LICENCE in result.stderr
    assert len(hub.state.asked) == asked


def test_all_parts_are_installed(run: Run, hub: Hub, tmp_path: Path) -> None:
    accepted(run)
    model = tmp_path / "models" / "higgs"
    files = hub.repositories["acme/higgs-2"].files
    for name in ("config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors", "LICENSE"):
        assert (model / "weights" / name).read_bytes() == files[name]
    assert not (model / "weights" / "modeling.py").exists()
    assert sorted(path.name for path in (model / "codec").iterdir()) == [
        "LICENSE", "config.json", "model.safetensors", "preprocessor_config.json",
    ]  # fmt: skip
    assert (model / "presets" / "man" / "audio.wav").read_bytes() == recording(7.7)
    voice = tomllib.loads((model / "presets" / "man" / "voice.toml").read_text())
    assert voice["transcript"] == "Grüße!"
    assert voice["description"] == 'A "man"'
    assert (voice["language"], voice["gender"]) == ("en", "female")
    assert voice["source"] == f"{hub.url}/raw/man.wav"


def test_the_card_says_what_is_installed(run: Run, hub: Hub, tmp_path: Path) -> None:
    accepted(run)
    card = read(tmp_path / "models" / "higgs" / "card.json")
    assert (card["family"], card["weights"], card["licences"]) == ("v2", "published", [V2_LICENCE])
    assert (card["default_preset"], card["presets"]) == ("woman", ["woman", "man"])
    assert card["sources"] == {
        "weights": {"repository": "acme/higgs-2", "revision": hub.repositories["acme/higgs-2"].commit},
        "codec": {"repository": "acme/codec", "revision": hub.repositories["acme/codec"].commit},
    }
    assert len(str(card["version"])) == 12


def test_what_was_accepted_is_kept(run: Run, tmp_path: Path) -> None:
    accepted(run)
    (record,) = json.loads((tmp_path / "models" / "higgs" / "licence.json").read_text())["accepted"]
    assert record["licence"] == V2_LICENCE
    assert record["how"] == "named in LECTERN_ACCEPT_LICENCE"
    assert record["text_sha256"] == hashlib.sha256(LICENCE).hexdigest()
    assert record["accepted"].endswith("+00:00")


@pytest.mark.parametrize("given", [V3_LICENCE, V2_LICENCE])
def test_v3_is_under_two_licences(run: Run, given: str, tmp_path: Path) -> None:
    assert run("lock", "v3").returncode == 0
    result = run("install", "v3", LECTERN_ACCEPT_LICENCE=given)
    assert result.returncode == 4
    assert "A Lectern that others use is such a service" in result.stderr.replace("\n  ", " ")
    assert "100,000 annual active users" in result.stderr
    assert not (tmp_path / "models").exists()


def test_the_baseline_has_the_same_files_and_no_copies(run: Run, tmp_path: Path) -> None:
    accepted(run)
    higgs, baseline = tmp_path / "models" / "higgs", tmp_path / "models" / "higgs_baseline"
    assert read(baseline / "card.json") == read(higgs / "card.json")
    for part in ("weights/model.safetensors", "codec/config.json", "presets/woman/audio.wav"):
        assert (baseline / part).samefile(higgs / part)
    assert not (baseline / "weights").readlink().is_absolute()  # the repository can be moved


def test_v3_takes_the_place_of_v2_and_has_no_baseline(run: Run, tmp_path: Path) -> None:
    accepted(run)
    accepted(run, "v3")
    higgs, baseline = tmp_path / "models" / "higgs", tmp_path / "models" / "higgs_baseline"
    assert read(higgs / "card.json")["family"] == "v3"
    assert (higgs / "codec" / "config.json").exists()  # by which references are encoded
    records = json.loads((higgs / "licence.json").read_text())["accepted"]
    assert [record["licence"] for record in records] == [V3_LICENCE, V2_LICENCE]
    assert list(baseline.iterdir()) == []


def test_a_second_run_fetches_nothing(run: Run, hub: Hub, tmp_path: Path) -> None:
    accepted(run)
    before = read(tmp_path / "models" / "higgs" / "card.json")
    asked = len(hub.state.asked)
    assert run("install", LECTERN_ACCEPT_LICENCE=V2_LICENCE).returncode == 0
    assert len(hub.state.asked) == asked
    assert read(tmp_path / "models" / "higgs" / "card.json") == before


def test_the_codec_that_both_families_have_is_fetched_once(run: Run, hub: Hub) -> None:
    accepted(run)
    assert run("lock", "v3").returncode == 0
    asked = len(hub.state.asked)
    assert run("install", "v3", LECTERN_ACCEPT_LICENCE=f"{V3_LICENCE},{V2_LICENCE}").returncode == 0
    assert not any(one.path.startswith("/acme/codec/") for one in hub.state.asked[asked:])


def test_a_download_goes_on_where_it_broke_off(run: Run, hub: Hub, tmp_path: Path) -> None:
    weights = codec(more={"large": (DOWNLOAD_CHUNK_SIZE,)})["model.safetensors"]
    hub.repositories["acme/codec"].files["model.safetensors"] = weights
    assert run("lock").returncode == 0
    hub.state.cuts = [len(weights), DOWNLOAD_CHUNK_SIZE + 1_000]  # of higgs-2 and of the codec
    result = run("install", LECTERN_ACCEPT_LICENCE=V2_LICENCE)
    assert result.returncode == 0, result.stderr
    assert f"bytes={DOWNLOAD_CHUNK_SIZE}-" in [one.first for one in hub.state.asked]
    assert (tmp_path / "models" / "higgs" / "codec" / "model.safetensors").read_bytes() == weights
    assert (tmp_path / "models" / "higgs" / "card.json").exists()


def test_changed_weights_have_another_version(run: Run, hub: Hub, tmp_path: Path) -> None:
    accepted(run)
    before = read(tmp_path / "models" / "higgs" / "card.json")["version"]
    changed = hub.repositories["acme/higgs-2"]
    changed.files["generation_config.json"] = b'{"temperature": 2}'
    accepted(run)
    assert read(tmp_path / "models" / "higgs" / "card.json")["version"] != before


def test_other_content_than_the_locked_one_is_refused(run: Run, hub: Hub, tmp_path: Path) -> None:
    assert run("lock").returncode == 0
    files = hub.repositories["acme/higgs-2"].files
    files["tokenizer_config.json"] = b'{"evil": true}'
    result = run("install", LECTERN_ACCEPT_LICENCE=V2_LICENCE)
    assert result.returncode == 1
    assert "tokenizer_config.json is not the file that the lock names" in result.stderr
    assert not (tmp_path / "models").exists()


def test_the_layout_of_2025_is_told_apart(run: Run, hub: Hub, tmp_path: Path) -> None:
    hub.repositories["acme/higgs-2"].files |= v2(
        V2 | {"model_type": "higgs_audio", "architectures": ["HiggsAudioModel"]}
    )
    assert run("lock").returncode == 0
    result = run("install", LECTERN_ACCEPT_LICENCE=V2_LICENCE)
    assert result.returncode == 1
    assert "layout of 2025" in result.stderr
    assert not (tmp_path / "models").exists()


def test_nobody_at_the_address(run: Run, locks: Path) -> None:
    for lock in locks.iterdir():
        lock.write_text(lock.read_text() + f'"config.json" = "{"0" * 64}"\n')
    nobody = "http://127.0.0.1:1"
    for result in (
        run("lock", LECTERN_WEIGHTS_MIRROR=nobody),
        run("lock", family="v3", LECTERN_WEIGHTS_MIRROR=nobody),
    ):
        assert result.returncode == 3
        assert "cannot be fetched" in result.stderr
        assert "LECTERN_WEIGHTS_MIRROR=https://mirror.example make higgs" in result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("token", "status"), [("", 401), ("of somebody else", 403)])
def test_a_gated_repository_says_what_to_do(run: Run, hub: Hub, token: str, status: int) -> None:
    hub.repositories["acme/higgs-2"].token = "mine"
    result = run("lock", HF_TOKEN=token)
    assert result.returncode == 3
    assert f"answers {status}" in result.stderr
    assert "HF_TOKEN" in result.stderr
    assert {401: "Invalid username", 403: "acme/higgs-2 is restricted"}[status] in result.stderr
    assert "Traceback" not in result.stderr


def test_a_token_opens_a_gated_repository_and_goes_nowhere_else(run: Run, hub: Hub, tmp_path: Path) -> None:
    hub.repositories["acme/higgs-2"].token = "mine"
    assert run("lock", HF_TOKEN="mine").returncode == 0
    result = run("install", LECTERN_ACCEPT_LICENCE=V2_LICENCE, HF_TOKEN="mine")
    assert result.returncode == 0, result.stderr
    elsewhere = [one for one in hub.state.asked if one.path.startswith(("/store/", "/raw/"))]
    assert elsewhere
    assert {one.token for one in elsewhere} == {""}
    assert "mine" not in result.stderr + (tmp_path / "models" / "higgs" / "card.json").read_text()


def test_a_renamed_repository_is_found(run: Run, hub: Hub, tmp_path: Path) -> None:
    hub.repositories["acme/renamed"] = hub.repositories["acme/higgs-2"]
    hub.repositories["acme/higgs-2"] = Repository({}, renamed="acme/renamed")
    lock = tmp_path / "locks" / "v2.lock.toml"
    lock.write_text(lock.read_text().replace(Repository({}).commit, hub.repositories["acme/renamed"].commit))
    accepted(run)


def test_a_mirror_is_asked_in_the_place_of_the_hub(run: Run, hub: Hub, locks: Path, tmp_path: Path) -> None:
    for lock in (*locks.iterdir(), tmp_path / "presets.toml"):
        lock.write_text(lock.read_text().replace(hub.url, "https://hub.invalid"))
    environment = {"LECTERN_WEIGHTS_MIRROR": hub.url, "LECTERN_ACCEPT_LICENCE": V2_LICENCE}
    assert run("lock", **environment).returncode == 0
    result = run("install", **environment)
    assert result.returncode == 0, result.stderr
    assert "https://hub.invalid/acme/higgs-2/" in (locks / "v2.lock.toml").read_text()


def test_the_endpoint_of_the_hubs_own_tools_is_a_mirror_of_the_hub_alone(run: Run, hub: Hub, locks: Path) -> None:
    for lock in locks.iterdir():
        lock.write_text(lock.read_text().replace(hub.url, "https://hub.invalid"))
    environment = {"HF_ENDPOINT": hub.url, "LECTERN_ACCEPT_LICENCE": V2_LICENCE}
    assert run("lock", **environment).returncode == 0
    result = run("install", **environment)
    assert result.returncode == 0, result.stderr
    assert "/raw/woman.wav" in [one.path for one in hub.state.asked]
    assert run("lock", HF_ENDPOINT=hub.url, LECTERN_WEIGHTS_MIRROR="http://127.0.0.1:1").returncode == 3


def test_the_library_tells_nothing_and_writes_nothing_elsewhere(run: Run, hub: Hub, tmp_path: Path) -> None:
    saved = tmp_path / "home" / ".cache" / "huggingface" / "token"
    saved.parent.mkdir(parents=True)
    saved.write_text("somebody's")  # of `hf auth login`, and not given to us
    accepted(run)
    assert [path for path in (tmp_path / "home").rglob("*") if path.is_file()] == [saved]
    assert not [path for path in (tmp_path / "work").rglob("*") if path.name.startswith(".")]
    assert {one.token for one in hub.state.asked} == {""}
    assert {one.agent.partition("/")[0] for one in hub.state.asked} == {"lectern"}
    assert not any(word in one.agent for one in hub.state.asked for word in ("torch", "agent"))


def test_an_answer_that_is_no_hubs_is_told(run: Run, hub: Hub, locks: Path) -> None:
    commit = hub.repositories["acme/higgs-2"].commit
    hub.plain[f"/api/models/acme/higgs-2/revision/{commit}"] = b"<html>"
    before = (locks / "v2.lock.toml").read_text()
    result = run("lock")
    assert result.returncode == 3
    assert "is it a hub of models?" in result.stderr
    assert (locks / "v2.lock.toml").read_text() == before


def test_a_file_that_is_not_the_blob_of_the_commit_is_refused(run: Run, hub: Hub) -> None:
    commit = hub.repositories["acme/higgs-2"].commit
    hub.plain[f"/acme/higgs-2/resolve/{commit}/config.json"] = b"{}"
    result = run("lock")
    assert result.returncode == 1
    assert "is not what the hub's list of files says it is" in result.stderr


def test_random_weights_need_neither_hub_nor_licence(run: Run, hub: Hub, tmp_path: Path) -> None:
    for name, files in (("model", v2()), ("codec", codec())):
        (tmp_path / "random" / name).mkdir(parents=True)
        for file, content in files.items():
            (tmp_path / "random" / name / file).write_bytes(content)
            (tmp_path / "random" / name / file).chmod(0o600)  # as some libraries write weights
    result = run("install", "v2", "--random", str(tmp_path / "random"))
    assert result.returncode == 0, result.stderr
    assert hub.state.asked == []
    higgs, baseline = tmp_path / "models" / "higgs", tmp_path / "models" / "higgs_baseline"
    card = read(higgs / "card.json")
    assert (card["weights"], card["licences"], card["presets"]) == ("random", [], ["buzz"])
    assert not (higgs / "licence.json").exists()
    check_recording(higgs / "presets" / "buzz" / "audio.wav")
    assert tomllib.loads((higgs / "presets" / "buzz" / "voice.toml").read_text())["transcript"]
    assert (baseline / "weights" / "model.safetensors").read_bytes() == v2()["model.safetensors"]
    assert (higgs / "weights" / "model.safetensors").stat().st_mode & 0o777 == 0o644

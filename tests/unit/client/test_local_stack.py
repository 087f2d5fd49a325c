import os
from pathlib import Path

import pytest

from lectern import local_stack


@pytest.fixture(autouse=True)
def _no_home_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LECTERN_HOME")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def test_the_users_data_folder(tmp_path: Path) -> None:
    assert local_stack.home() == tmp_path / ".local/share/lectern"


def test_the_folder_that_xdg_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert local_stack.home() == Path("/data/lectern")
    monkeypatch.setenv("XDG_DATA_HOME", "not/absolute")
    assert local_stack.home() == tmp_path / ".local/share/lectern"


def test_roots_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert local_stack.home() == Path("/var/lib/lectern")


def test_a_chosen_folder_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("LECTERN_HOME", "~/here")
    assert local_stack.home() == tmp_path / "here"
    monkeypatch.setenv("LECTERN_HOME", "here")
    assert local_stack.home() == Path.cwd() / "here"


def test_nothing_runs_where_nothing_is() -> None:
    assert local_stack.running_url() is None
    assert local_stack.api_key() is None

"""What the script behind `make install` says on a machine where it cannot work."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "docker" / "bootstrap.sh"
VERSION = "{}.{}".format(*sys.version_info)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "docker").mkdir()
    shutil.copy(SCRIPT, tmp_path / "docker")
    return tmp_path


def python_that(folder: Path, refuses: str) -> Path:
    """This Python, but for a call whose first arguments are these."""
    path = folder / "python"
    path.write_text(f'#!/bin/sh\ncase "$*" in {refuses}) exit 1 ;; esac\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return path


def said(checkout: Path, environment: str, **settings: str) -> str:
    """The one line that the script says before it gives up."""
    done = subprocess.run(
        ["docker/bootstrap.sh", environment, f".venvs/{environment}"],
        cwd=checkout, env={"PATH": os.defpath, **settings}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("lectern: ")
    assert done.stderr.count("\n") == 1
    assert not (checkout / ".venvs" / environment).exists()
    return done.stderr


def test_a_python_that_does_not_fit_is_told(checkout: Path) -> None:
    old = checkout / "python"
    old.write_text("#!/bin/sh\necho 3.9\n")
    old.chmod(0o755)
    assert f"PYTHON={old} is not a Python 3.11, 3.12 or 3.13" in said(checkout, "uv", PYTHON=str(old))


def test_a_machine_without_python_is_told(checkout: Path) -> None:
    programs = checkout / "programs"
    programs.mkdir()
    for name in ("bash", "dirname", "mkdir", "flock", "env"):
        found = shutil.which(name, path=os.defpath)
        assert found is not None
        (programs / name).symlink_to(found)
    (checkout / "docker" / "bootstrap.sh").write_text(SCRIPT.read_text().replace("/usr/bin/python3", "/no/python3"))
    line = said(checkout, "uv", PATH=str(programs))
    assert "Lectern needs Python 3.11, 3.12 or 3.13: install python3.11" in line
    assert "PYTHON=" in line


def test_a_python_that_makes_no_environments_is_told(checkout: Path) -> None:
    python = python_that(checkout, refuses="*ensurepip*")
    assert f"install the package python{VERSION}-venv" in said(checkout, "uv", PYTHON=str(python))


@pytest.mark.skipif(VERSION == "3.13", reason="the models run on 3.11 or 3.12")
def test_a_python_without_libpython_is_told(checkout: Path) -> None:
    python = python_that(checkout, refuses="-")
    line = said(checkout, "models", MODELS_PYTHON=str(python))
    assert f"has no libpython{VERSION}.so.1.0" in line
    assert f"install the package libpython{VERSION}" in line
    assert "MODELS_PYTHON=" in line


def test_models_on_a_python_that_triton_cannot_run_are_told(checkout: Path) -> None:
    python = checkout / "python"
    python.write_text("#!/bin/sh\necho 3.13\n")
    python.chmod(0o755)
    assert "need Python 3.11 or 3.12" in said(checkout, "models", MODELS_PYTHON=str(python))

import asyncio
import contextlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.embedded import CannotStart
from orchestrator.embedded.preflight import check_glibc, check_paths, check_port, check_space
from orchestrator.embedded.triton_backends import inspect

MEGABYTE = 1 << 20


def refusal(error: pytest.ExceptionInfo[CannotStart]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of one megabyte if this machine allows a mount, else the folder as it is."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    try:
        yield folder
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_told_with_what_is_needed(tmp_path: Path) -> None:
    with small_disk(tmp_path) as folder:
        needed = max(64 * MEGABYTE, shutil.disk_usage(folder).free + 64 * MEGABYTE)
        with pytest.raises(CannotStart) as refused:
            check_space(folder, needed)
    message = refusal(refused)
    assert f"Lectern needs {needed // MEGABYTE} MB there" in message
    assert "LECTERN_HOME" in message
    check_space(tmp_path, needed=MEGABYTE)


@pytest.mark.parametrize("name", ["a b", "a;b", "a'b", "a#b", "ä$b"])
def test_a_path_that_triton_cannot_work_in_is_told(tmp_path: Path, name: str) -> None:
    check_paths(tmp_path, tmp_path / "100%_of-it,a=b")
    with pytest.raises(CannotStart) as refused:
        check_paths(tmp_path, tmp_path / name / "home")
    message = refusal(refused)
    assert str(tmp_path / name / "home") in message
    assert "LECTERN_HOME" in message


def test_a_port_in_use_is_told_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CannotStart) as refused:
            check_port("127.0.0.1", port)
    message = refusal(refused)
    assert f"port {port} of 127.0.0.1 is in use" in message
    assert "LECTERN_PORT" in message
    check_port("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_a_host_that_is_not_this_machine_is_told(host: str) -> None:
    with pytest.raises(CannotStart, match=f"cannot listen on {host} .*correct LECTERN_HOST"):
        check_port(host, 8000)


@pytest.mark.parametrize("version", ["2.31", "2.34", "2.4"])
def test_a_glibc_that_is_too_old_is_told(version: str) -> None:
    with pytest.raises(CannotStart) as refused:
        check_glibc(version)
    message = refusal(refused)
    assert f"needs glibc 2.35 and this system has {version}" in message
    assert "TRITON_URL" in message


@pytest.mark.parametrize("version", [None, "2.35", "2.36", "2.41", "3.0"])
def test_a_new_enough_glibc_passes(version: str | None) -> None:
    check_glibc(version)


def test_a_python_without_libpython_is_told(tmp_path: Path) -> None:
    """A real interpreter that looks for its library where there is none."""
    python = tmp_path / "python3"
    folder = tmp_path / "none"
    (tmp_path / "sitecustomize.py").write_text("")
    python.write_text(
        f'#!/bin/sh\nshift 2\nexec {sys.executable} -I -c "import sysconfig, sys; v = sysconfig.get_config_vars(); '
        f"v['LIBDIR'] = '{folder}'; v['INSTSONAME'] = 'libpython0.0.so.1.0'; sys.base_prefix = '{folder}'; "
        'exec(sys.argv[1])" "$1"\n'
    )
    python.chmod(0o755)
    with pytest.raises(CannotStart) as refused:
        asyncio.run(inspect(python))
    assert "libpython" in refusal(refused)

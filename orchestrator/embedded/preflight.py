"""Checks before a start, for problems that would fail it later and less clearly."""

import asyncio
import platform
import re
import shlex
import shutil
from pathlib import Path

from orchestrator.embedded import CannotStart
from orchestrator.embedded.configuration import StackConfiguration
from orchestrator.embedded.external_services import check_database, check_triton
from orchestrator.embedded.ports import is_free
from orchestrator.embedded.service_user import check_reach, service_user
from orchestrator.embedded.triton_backends import inspect

GLIBC = (2, 35)  # what the Triton wheel is built for
NEEDED_BYTES = 500 << 20  # a new Postgres takes 60 MB; the rest is for audio and logs


async def check(configuration: StackConfiguration) -> None:
    """Checks everything that a start needs. The home's lock must be held. Raises CannotStart."""
    check_programs()
    check_space(configuration.home.path)
    check_port(configuration.host, configuration.port)
    if configuration.database_url:
        await check_database(configuration.database_url)
    else:
        await asyncio.to_thread(lambda: check_reach(service_user(), configuration.home.path))
    if isinstance(configuration.triton, str):
        await check_triton(configuration.triton)
    else:
        check_glibc()
        check_paths(
            configuration.triton.state, configuration.triton.repository, *configuration.triton.more_repositories
        )
        await inspect(configuration.triton.python)


def check_programs() -> None:
    if shutil.which("setpriv") is None:
        raise CannotStart("setpriv is missing, which every Debian has: install util-linux")


def check_paths(*folders: Path) -> None:
    """Triton starts model processes by a shell, and does not quote their paths."""
    for folder in map(Path.absolute, folders):
        if shlex.quote(str(folder)) != str(folder):
            raise CannotStart(
                f"Triton cannot work in {folder}: choose a path of letters, digits and @%+=:,./-_ alone, for Lectern's "
                "own folder and for its home (LECTERN_HOME)"
            )


def check_space(folder: Path, needed: int = NEEDED_BYTES) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CannotStart(
            f"only {free >> 20} MB are free in {folder}, and Lectern needs {needed >> 20} MB there: "
            "free some, or choose a folder on another disk with LECTERN_HOME"
        )


def check_port(host: str, port: int) -> None:
    try:
        free = is_free(host, port)
    except OSError as error:
        raise CannotStart(f"cannot listen on {host} ({error.strerror}): correct LECTERN_HOST") from None
    if not free:
        raise CannotStart(
            f"port {port} of {host} is in use: end what listens there, or choose another with LECTERN_PORT "
            "(0 means any free one)"
        )


def check_glibc(version: str | None = None) -> None:
    """`version`: None means this machine's."""
    if version is None:
        library, version = platform.libc_ver()
        if library != "glibc":
            raise CannotStart(
                "Triton's wheel needs glibc, which this system is not built on: use Debian 12, or set TRITON_URL"
            )
    found = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if found < GLIBC:
        raise CannotStart(
            f"Triton needs glibc {GLIBC[0]}.{GLIBC[1]} and this system has {version}: use Debian 12, Ubuntu 22.04 or "
            "newer, or set TRITON_URL to a Triton elsewhere"
        )

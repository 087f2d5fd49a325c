"""Makes Triton's backend directory, from the wheel with its binaries and from our own backends."""

import asyncio
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from orchestrator.embedded import CannotStart

INSPECT_TIMEOUT = 30.0

_INSPECT = """
import ctypes, json, os, platform, sys, sysconfig
name = sysconfig.get_config_var("INSTSONAME") or ""
folders = [sysconfig.get_config_var("LIBDIR") or "", os.path.join(sys.base_prefix, "lib")]
libdir = next((folder for folder in folders if os.path.isfile(os.path.join(folder, name))), "")
if not libdir and ".so" in name:
    try:
        ctypes.CDLL(name)  # in a folder that the loader searches, as with a distribution's Python
        libdir = folders[0]
    except OSError:
        pass
print(json.dumps({
    "prefix": sys.prefix,
    "version": "%d.%d" % sys.version_info[:2],
    "libdir": libdir,
    "libpython": name,
    "purelib": sysconfig.get_path("purelib"),
    "glibc": platform.libc_ver()[1],
}))
"""


@dataclass(frozen=True, slots=True)
class ModelsEnvironment:
    """The virtual environment of Triton's Python models, which has the server too."""

    prefix: Path
    python_version: str
    library_folder: Path  # where libpython lies
    triton: Path  # the wheel's tritonserver folder

    @property
    def server(self) -> Path:
        return self.triton / "bin" / "tritonserver"

    @property
    def stub(self) -> Path:
        return self.triton / "python_backend_stubs" / self.python_version / "triton_python_backend_stub"


async def inspect(python: Path) -> ModelsEnvironment:
    """Inspect the environment of this interpreter. Raises CannotStart if Triton cannot run there."""
    if not await asyncio.to_thread(python.is_file):
        raise CannotStart(f"there is no Python at {python}: run `make install`")
    process = await asyncio.create_subprocess_exec(
        python, "-I", "-c", _INSPECT, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(INSPECT_TIMEOUT):
            out, _ = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise CannotStart(f"{python} ends with status {process.returncode}: make the environment again (`make clean`)")
    found = json.loads(out)
    if not found["libdir"]:
        raise CannotStart(
            f"Python {found['version']} at {python} has no shared library ({found['libpython'] or 'libpython'}): "
            f"install libpython{found['version']} or use a Python built with --enable-shared"
        )
    environment = ModelsEnvironment(
        prefix=Path(found["prefix"]),
        python_version=found["version"],
        library_folder=Path(found["libdir"]),
        triton=Path(found["purelib"]) / "pytriton" / "tritonserver",
    )
    if not environment.server.is_file():
        raise CannotStart(f"nvidia-pytriton is not installed in {environment.prefix}: run `make install`")
    if not environment.stub.exists():
        raise CannotStart(f"this Triton has no stub for Python {found['version']}: use Python 3.11 or 3.12 for it")
    return environment


def make_backend_directory(environment: ModelsEnvironment, backends: Path, folder: Path) -> None:
    """Makes `folder` Triton's backend directory: the wheel's python backend, and each backend in `backends`."""
    shutil.rmtree(folder, ignore_errors=True)
    python = folder / "python"
    python.mkdir(parents=True)
    wheel = environment.triton / "backends" / "python"
    # A file: Triton refuses a library whose resolved path leaves the backend directory.
    shutil.copyfile(wheel / "libtriton_python.so", python / "libtriton_python.so")
    shutil.copyfile(wheel / "triton_python_backend_utils.py", python / "triton_python_backend_utils.py")
    # A link: the stub finds its libraries beside its own resolved path. A copy finds none, and Triton hangs.
    (python / "triton_python_backend_stub").symlink_to(environment.stub)
    for backend in sorted(backends.iterdir()):
        if (backend / "model.py").is_file():
            (folder / backend.name).symlink_to(backend.resolve(), target_is_directory=True)

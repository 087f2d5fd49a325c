"""One engine process. It leads a process group of its own, so that all it starts ends with it."""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sysconfig
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

LINE: Final = 2_000  # characters of a line of output that are logged
LAST_LINES: Final = 20
POLL: Final = 0.02  # seconds between two looks at whether it has ended
LAST_OUTPUT: Final = 0.5  # seconds in which the rest of its output is read

ENGINE: Final = "lectern_triton.higgs_engine"

log = logging.getLogger("engine")


@dataclass(frozen=True, slots=True)
class Launch:
    """How to launch an engine."""

    python: str
    driver: str
    folder: Path
    """The model's folder: relative paths in the engine's arguments start here."""
    modules: Path
    """A folder that may contain the driver's module. This package must be installed in the engine's environment."""

    def argv(self, descriptor: int) -> list[str]:
        # -P: the working directory, which is the model's folder, is not searched for modules.
        return [self.python, "-s", "-P", "-m", ENGINE, "--driver", self.driver, "--socket", str(descriptor)]

    def environment(self, base: Mapping[str, str] = os.environ) -> dict[str, str]:
        ours = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH"}
        # The libpython of this process and that of the engine may differ and have the same version.
        unwanted = sysconfig.get_config_var("LIBDIR")
        libraries = [folder for folder in base.get("LD_LIBRARY_PATH", "").split(os.pathsep) if folder != unwanted]
        return {
            **{name: value for name, value in base.items() if name not in ours},
            **({"LD_LIBRARY_PATH": os.pathsep.join(libraries)} if any(libraries) else {}),
            # The programs of the engine's environment, such as compilers, come first.
            "PATH": f"{Path(self.python).parent}{os.pathsep}{base.get('PATH', os.defpath)}",
            "PYTHONPATH": str(self.modules),
            "PYTHONUNBUFFERED": "1",
        }


class EngineProcess:
    """A running engine, and this end of its socket."""

    def __init__(self, launch: Launch) -> None:
        """Launch the engine. Raises OSError if its interpreter cannot be run."""
        self.socket, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - nothing of a request is in it
                    launch.argv(theirs.fileno()),
                    env=launch.environment(),
                    cwd=launch.folder,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError:
                self.socket.close()
                raise
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._logger = threading.Thread(target=self._log, args=(self._process.stdout,), name="engine-log", daemon=True)
        self._logger.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._ended() is None

    def ending(self) -> str:
        """Returns how the process ended, for a sentence that begins with it."""
        ended = self._ended()
        if ended is None:
            return "has not ended"
        if ended.si_code == os.CLD_EXITED:
            return f"ended with status {ended.si_status}"
        return f"was killed by {signal.Signals(ended.si_status).name}"

    def _ended(self) -> os.waitid_result | None:
        """Looks at its end without reaping it: until it is reaped, no other process can get its number."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)

    def wait(self, limit: float) -> bool:
        """Returns whether it ends within `limit` seconds. Its last output has been read by then."""
        until = time.monotonic() + limit
        while self.alive():
            if time.monotonic() > until:
                return False
            time.sleep(POLL)
        self._logger.join(timeout=LAST_OUTPUT)  # no longer, as a process that it started may hold its output open
        return True

    def kill(self) -> None:
        """Kills it and all that it has started. Call it once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._logger.join(timeout=1)

    def last_line(self) -> str:
        """Returns its last line of output, or an empty string."""
        return next((line for line in reversed(self._lines) if line.strip()), "")

    def _log(self, output: IO[bytes]) -> None:
        with output:
            for raw in iter(lambda: output.readline(LINE), b""):
                line = raw.decode(errors="replace").rstrip()
                self._lines.append(line)
                log.info("%s", line)

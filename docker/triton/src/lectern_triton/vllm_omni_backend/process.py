"""One engine process: at the head of a group of its own, so that all it starts ends with it."""

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

LINE: Final = 2_000  # characters of a line that are logged
LAST_LINES: Final = 20
GLANCE: Final = 0.02  # seconds between two looks at whether it has ended
LAST_WORDS: Final = 0.5  # seconds in which what it said last is read

ENGINE: Final = "lectern_triton.higgs_engine"

log = logging.getLogger("engine")


@dataclass(frozen=True, slots=True)
class Command:
    """How an engine is run."""

    python: str
    driver: str
    folder: Path
    """The model's: relative paths in its arguments count from here."""
    modules: Path
    """Searched for the driver's module, before the engine's environment, which has this package."""

    def argv(self, descriptor: int) -> list[str]:
        # -P: the model's folder, in which it runs, is not searched for modules.
        return [self.python, "-s", "-P", "-m", ENGINE, "--driver", self.driver, "--socket", str(descriptor)]

    def environment(self, base: Mapping[str, str] = os.environ) -> dict[str, str]:
        ours = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH"}
        # This process's libpython may be another than the engine's, of the same version.
        unwanted = sysconfig.get_config_var("LIBDIR")
        libraries = [folder for folder in base.get("LD_LIBRARY_PATH", "").split(os.pathsep) if folder != unwanted]
        return {
            **{name: value for name, value in base.items() if name not in ours},
            **({"LD_LIBRARY_PATH": os.pathsep.join(libraries)} if any(libraries) else {}),
            # What the engine's environment brings, a compiler's tools for one, comes first.
            "PATH": f"{Path(self.python).parent}{os.pathsep}{base.get('PATH', os.defpath)}",
            "PYTHONPATH": str(self.modules),
            "PYTHONUNBUFFERED": "1",
        }


class EngineProcess:
    """A running engine, and our end of its socket."""

    def __init__(self, command: Command) -> None:
        """Raises OSError if it cannot be run at all."""
        self.socket, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - nothing of a request is in it
                    command.argv(theirs.fileno()),
                    env=command.environment(),
                    cwd=command.folder,
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
        """Say how it ended."""
        ended = self._ended()
        if ended is None:
            return "has not ended"
        if ended.si_code == os.CLD_EXITED:
            return f"ended with status {ended.si_status}"
        return f"was killed by {signal.Signals(ended.si_status).name}"

    def _ended(self) -> os.waitid_result | None:
        """Its end is only looked at: as long as nobody has waited for it, its number stays its own."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)

    def wait(self, limit: float) -> bool:
        """Say whether it has ended within so many seconds; what it said last is in by then."""
        until = time.monotonic() + limit
        while self.alive():
            if time.monotonic() > until:
                return False
            time.sleep(GLANCE)
        self._logger.join(timeout=LAST_WORDS)  # no longer: something that it started may hold its output
        return True

    def kill(self) -> None:
        """End it, and all that it has started; for good, and once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._logger.join(timeout=1)

    def last_line(self) -> str:
        """What it said last; empty if nothing."""
        return next((line for line in reversed(self._lines) if line.strip()), "")

    def _log(self, output: IO[bytes]) -> None:
        with output:
            for raw in iter(lambda: output.readline(LINE), b""):
                line = raw.decode(errors="replace").rstrip()
                self._lines.append(line)
                log.info("%s", line)

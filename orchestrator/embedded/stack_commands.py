"""The commands `down`, `status` and `purge`, which act on a running stack from outside, and their console."""

import os
import signal
import sys
import time
from typing import TextIO

import httpx

from orchestrator.embedded import CannotStart
from orchestrator.embedded.home import Home

STOP_TIMEOUT = 60.0


class Console:
    """What a user sees: one line for each step of a start, with the seconds since it began."""

    def __init__(self, out: TextIO = sys.stdout, err: TextIO = sys.stderr) -> None:
        self._out = out
        self._err = err
        self._began = time.monotonic()

    def step(self, text: str) -> None:
        self.say(f"{time.monotonic() - self._began:6.1f} s  {text}")

    def say(self, text: str = "") -> None:
        self._out.write(f"{text}\n")
        self._out.flush()

    def error(self, text: str) -> None:
        self._err.write(f"lectern: {text}\n")
        self._err.flush()


def down(home: Home, console: Console) -> None:
    """Stops the stack of this home and waits until it has stopped. Raises CannotStart if it does not."""
    if not home.is_locked():
        console.say(f"nothing runs in {home.path}")
        return
    pid = _holder(home)
    console.say(f"stopping the stack in {home.path} (process {pid})")
    try:
        os.kill(pid, signal.SIGTERM)
    except PermissionError:
        raise CannotStart(f"process {pid} belongs to another user: stop it as that user") from None
    limit = time.monotonic() + STOP_TIMEOUT
    while home.is_locked():
        if time.monotonic() > limit:
            raise CannotStart(f"process {pid} has not stopped within {STOP_TIMEOUT:.0f} s: see {home.logs}")
        time.sleep(0.05)
    console.say("stopped")


def status(home: Home, console: Console) -> bool:
    """Prints what runs in this home, and returns whether it is ready."""
    record = home.read_record() or {}
    if not home.is_locked() or "url" not in record:
        console.say(f"nothing runs in {home.path}")
        return False
    console.say(f"process {record.get('pid')} in {home.path}, {record['url']}")
    try:
        answer = httpx.get(f"{record['url']}/readyz", trust_env=False, timeout=10.0)
        readiness = answer.json()
    except (httpx.TransportError, ValueError) as error:
        console.say(f"no answer yet ({type(error).__name__})")
        return False
    for item in readiness.get("checks", []):
        console.say(f"{'ok' if item['ok'] else 'NOT OK':8} {item['name']}  {item['detail']}")
    console.say(readiness.get("status", f"HTTP {answer.status_code}"))
    return answer.is_success


def purge(home: Home, console: Console) -> None:
    """Stops the stack and deletes its home. Raises CannotStart if the folder is not Lectern's."""
    if not home.path.exists():
        console.say(f"there is no {home.path}")
        return
    if not home.marker.is_file():
        raise CannotStart(f"{home.path} does not carry Lectern's marker ({home.marker.name}): nothing is deleted")
    down(home, console)
    home.purge()
    console.say(f"deleted {home.path}")


def _holder(home: Home) -> int:
    """Returns the process that has locked the home. It writes its record a moment after it takes the lock."""
    limit = time.monotonic() + 5.0
    while time.monotonic() < limit:
        record = home.read_record()
        if record is not None and isinstance(record.get("pid"), int):
            return int(record["pid"])
        time.sleep(0.05)
    raise CannotStart(f"a process holds {home.lock}, but {home.record} does not say which: end it by hand")

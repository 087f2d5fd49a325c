"""Generates a client for threads from its twin for asyncio: `generate_sync.py .../aio.py` prints sync.py.

The `unasync` package would do most of it, but it leaves comments and docstrings as they are.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

_RULES: Final = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"# `make sync-client` generates sync\.py from this file", "# Generated from aio.py by `make sync-client`"),
        (r"\bAsync(Client|Connection|Triton)\b", r"\1"),
        (r"\bAsyncGenerator\[(.+), None\]", r"Generator[\1, None, None]"),
        (r"\bAsync(Generator|Iterator)\b", r"\1"),
        (r"\b__a(enter|exit)__\b", r"__\1__"),
        (r"\ba(close|closing|iter_bytes|read)\b", r"\1"),
        (r"\basync_connection\b", "sync_connection"),
        (r"\b(import|from) asyncio\b", r"\1 time"),
        (r"\basyncio\.sleep\b", "time.sleep"),
        (r"\bfor asyncio\b", "for threads"),
        (r"\bshared by tasks\b", "shared by threads"),
        (r"\bBelongs to the event loop that first uses it\b", "May be shared by threads, but not across a fork"),
        (r"\b(async|await) ", ""),
    )
]
_LEFT: Final = re.compile(r"\b(async|await|asyncio|tasks?)\b|\bAsync[A-Z]|\baio\b(?!\.py)")


def sync_source(source: str) -> str:
    """Returns the client for threads. Raises ValueError if something of asyncio is left in it."""
    for pattern, replacement in _RULES:
        source = pattern.sub(replacement, source)
    if left := _LEFT.search(source):
        raise ValueError(f"no rule turns {left[0]!r} into its twin for threads: add one")
    return source


def _ruff(source: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "ruff", *arguments, "--quiet", "-"]
    return subprocess.run(command, input=source, capture_output=True, check=True, text=True).stdout


def main() -> None:
    path = Path(sys.argv[1])
    name = f"--stdin-filename={path.with_name('sync.py')}"
    source = sync_source(path.read_text())
    print(_ruff(_ruff(source, "check", "--select=I", "--fix-only", name), "format", name), end="")


if __name__ == "__main__":
    main()

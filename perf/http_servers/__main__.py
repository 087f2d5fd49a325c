"""Compares ASGI servers on what a server that faces strangers has to do, and on what a request costs.

    python -m perf.http_servers [--python ENVIRONMENT/bin/python] [--only guard,granian] [--json FILE]

The environment needs perf's own packages, and granian, hypercorn, h11 and zttp for those candidates.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from perf.http_client import Connection, checked
from perf.http_servers.app import LEFT_FILE
from perf.http_servers.checks import Server, run_all
from perf.machine import cpu_seconds, machine
from perf.static_servers import free_port

APP: Final = "perf.http_servers.app:app"
UVICORN: Final = (
    f"-m uvicorn {APP} --port {{port}} --loop uvloop --no-access-log --log-level warning --ws-max-size 4096"
    " --timeout-graceful-shutdown 3 --timeout-keep-alive 2 --limit-concurrency 100"
)
HYPERCORN: Final = """
bind = ["127.0.0.1:{port}"]
worker_class = "uvloop"
loglevel = "ERROR"
h11_max_incomplete_size = 65536
keep_alive_timeout = 2
read_timeout = 2
graceful_timeout = 3
websocket_max_message_size = 4096
"""
# Each with the limits that it has: 64 KB of header, 2 seconds to send one, 100 connections, 3 seconds to end in.
SERVERS: Final = {
    "guard": "-m perf.http_servers.app {port}",
    "httptools": f"{UVICORN} --http httptools",
    "h11": f"{UVICORN} --http h11 --h11-max-incomplete-event-size 65536",
    "zttp": f"{UVICORN} --http zttp",
    "granian": f"-m granian {APP} --interface asgi --loop uvloop --http 1 --port {{port}} --log-level error"
    " --http1-buffer-size 65536 --http1-header-read-timeout 2000 --backpressure 100 --workers-kill-timeout 3",
    "hypercorn": f"-m hypercorn --config {{folder}}/hypercorn.toml {APP}",
}
START_SECONDS: Final = 20
LOAD_SECONDS: Final = 3.0
CONCURRENCY: Final = 8


def main() -> int:
    options = _options()
    report: dict[str, Any] = {"machine": machine(), "servers": {}}
    for name in options.only.split(","):
        print(f"{name} …", flush=True)
        report["servers"][name] = _measured(name, options.python)
    _show(report["servers"])
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=2) + "\n")
    return 0


def _measured(name: str, python: str) -> dict[str, str]:
    with _running(name, python) as server:
        rest = server.memory()
        costs = {path: _microseconds(server, path) for path in ("/bytes", "/stream")}
    with _running(name, python) as server:
        results = run_all(server)
    return {
        **results,
        "processor time of an answer of 45 KB, µs": f"{costs['/bytes']:.0f}",
        "processor time of a stream of 40 chunks, µs": f"{costs['/stream']:.0f}",
        "memory at rest, MiB": f"{rest / 2**20:.0f}",
    }


def _microseconds(server: Server, path: str) -> float:
    async def load() -> int:
        end = time.perf_counter() + LOAD_SECONDS
        done = 0

        async def work() -> None:
            nonlocal done
            async with Connection(f"127.0.0.1:{server.port}") as connection:
                while time.perf_counter() < end:
                    checked(await connection.ask("GET", path))
                    done += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(work())
        return done

    before = cpu_seconds(server.pid)
    done = asyncio.run(load())
    return 1e6 * (cpu_seconds(server.pid) - before) / done


@contextmanager
def _running(name: str, python: str) -> Iterator[Server]:
    port = free_port()
    with TemporaryDirectory(prefix="lectern-perf-") as folder:
        Path(folder, "hypercorn.toml").write_text(HYPERCORN.format(port=port))
        left_file = Path(folder, "left")
        command = [python, *SERVERS[name].format(port=port, folder=folder).split()]
        process = subprocess.Popen(
            command, env={**os.environ, LEFT_FILE: str(left_file)}, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        server = Server(port, process.pid, left_file)
        try:
            _wait_until_it_answers(server, process)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_it_answers(server: Server, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            if server.ask("/left")[0] == 200:
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{process.args!r} does not serve.") from None
        time.sleep(0.05)


def _show(servers: dict[str, dict[str, str]]) -> None:
    names = list(servers)
    print(f"| | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for row in servers[names[0]]:
        print(f"| {row} | {' | '.join(servers[name][row] for name in names)} |")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m perf.http_servers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", default=sys.executable, help="runs the servers")
    parser.add_argument("--only", default=",".join(SERVERS), help="of these candidates, with commas between them")
    parser.add_argument("--json", metavar="FILE", help="write all results here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

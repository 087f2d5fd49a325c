"""The running stack that is measured: its addresses, its key and its processes."""

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from lectern import local_stack
from perf.http_connection import Connection
from perf.machine import cpu_seconds, pid_listening_on


@dataclass(frozen=True)
class Stack:
    address: str  # host:port of the REST API
    key: str
    triton: str  # address of Triton's gRPC
    processes: dict[str, int]  # what is measured, by name

    def connection(self) -> Connection:
        return Connection(self.address, {"authorization": f"Bearer {self.key}"})

    def cpu(self) -> dict[str, float]:
        """Seconds of processor time that each process, with its children, has taken so far."""
        return {name: cpu_seconds(pid) for name, pid in self.processes.items()}


def find_stack(url: str | None, key: str | None, triton: str | None) -> Stack:
    """What is not given is read from LECTERN_HOME. Raises LookupError if it is not there either."""
    file = local_stack.home() / local_stack.STACK_FILE
    record = json.loads(file.read_text()) if file.exists() else {}
    url = url or record.get("url")
    key = key or local_stack.api_key()
    triton = triton or record.get("triton_url")
    if not url or not key or not triton:
        raise LookupError(
            f"There is no running stack in {local_stack.home()}: start one, or give --url, --key and --triton."
        )
    address = urlsplit(url).netloc
    processes = {"orchestrator": pid_listening_on(address), "triton": pid_listening_on(triton)}
    postmaster = local_stack.home() / "postgres" / "postmaster.pid"
    if url == record.get("url") and postmaster.exists():
        processes["postgres"] = int(postmaster.read_text().split()[0])
    return Stack(address, key, triton, processes)

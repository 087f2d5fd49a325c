"""Frees ports for the services of a stack, which stay free while a service is restarted."""

import errno
import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
LOWEST = 20_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


_given: set[int] = set()


def free_port(host: str = LOOPBACK) -> int:
    """Returns a free port that was not returned before: the server of an earlier one may not listen yet.

    It lies below the kernel's range for outgoing connections, because such a connection could take the port while its
    service is down. Raises OSError if no port is free.
    """
    highest = int(_EPHEMERAL.read_text().split()[0]) if _EPHEMERAL.exists() else 32_768
    candidates = range(LOWEST, highest) if highest > LOWEST else range(1_024, highest)
    for port in random.sample(candidates, k=min(200, len(candidates))):
        if port not in _given and is_free(host, port):
            _given.add(port)
            return port
    raise OSError(f"no free port between {candidates[0]} and {candidates[-1]} on {host}")


def is_free(host: str, port: int) -> bool:
    """Returns whether a server can listen there. Raises OSError if the address is not one of this machine's."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is no obstacle
        try:
            probe.bind(address)
            probe.listen()
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True

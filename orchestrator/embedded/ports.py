"""Free ports for the parts of a stack, chosen so that a part finds its port still free when it is started again."""

import errno
import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
LOWEST = 20_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


_given: set[int] = set()


def free_port(host: str = LOOPBACK) -> int:
    """Return a port that nothing listens on, and that was not returned before: its server may only be about to start.

    It lies below the range from which the kernel takes the ports of outgoing connections: from inside that range, any
    connection made while a part is down could take the part's port away. Raises OSError if no port is free.
    """
    highest = int(_EPHEMERAL.read_text().split()[0]) if _EPHEMERAL.exists() else 32_768
    candidates = range(LOWEST, highest) if highest > LOWEST else range(1_024, highest)
    for port in random.sample(candidates, k=min(200, len(candidates))):
        if port not in _given and is_free(host, port):
            _given.add(port)
            return port
    raise OSError(f"no free port between {candidates[0]} and {candidates[-1]} on {host}")


def is_free(host: str, port: int) -> bool:
    """Say whether a server could listen there. Raises OSError if the address is not one of this machine's."""
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

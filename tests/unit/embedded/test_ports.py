import socket
from pathlib import Path

import pytest

from orchestrator.embedded.ports import free_port, is_free


def test_a_free_port_lies_below_those_of_outgoing_connections() -> None:
    lowest_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(20):
        port = free_port()
        assert 1024 <= port < lowest_ephemeral
        with socket.create_server(("127.0.0.1", port)):
            assert not is_free("127.0.0.1", port)
        assert is_free("127.0.0.1", port)


def test_no_port_is_given_twice() -> None:
    ports = [free_port() for _ in range(300)]
    assert len(set(ports)) == len(ports)


def test_an_address_of_another_machine_is_an_error() -> None:
    with pytest.raises(OSError, match=r"[Cc]annot assign"):
        is_free("192.0.2.1", 8000)

"""A wrong address of an external service is reported in one line, with the setting and what to do."""

import asyncio
import socket
from collections.abc import Awaitable
from pathlib import Path

import pytest

from orchestrator.embedded import CannotStart
from orchestrator.embedded.external_services import check_database, check_triton
from orchestrator.embedded.ports import free_port

PASSWORD = "hush"


def refusal(check: Awaitable[None]) -> str:
    async def run() -> None:
        await check

    with pytest.raises(CannotStart) as refused:
        asyncio.run(run())
    message = str(refused.value)
    assert "\n" not in message
    assert PASSWORD not in message
    return message


def test_a_triton_that_is_not_there_is_told() -> None:
    port = free_port()
    message = refusal(check_triton(f"127.0.0.1:{port}"))
    assert message.startswith(f"TRITON_URL: no Triton is reached at 127.0.0.1:{port} (")
    assert message.endswith("start it, correct the address, or unset TRITON_URL to have one started here")


def test_a_socket_that_is_not_there_is_told(tmp_path: Path) -> None:
    message = refusal(check_triton(f"unix:{tmp_path}/grpc"))
    assert message.startswith(f"TRITON_URL: no Triton is reached at {tmp_path}/grpc (No such file or directory): start")


@pytest.mark.parametrize("address", ["http://triton:8001", "triton", "triton:grpc", "unix:grpc", "unix://grpc"])
def test_an_invalid_address_of_triton_is_told(address: str) -> None:
    assert refusal(check_triton(address)).startswith("TRITON_URL cannot be used: Triton's address is host:port")


def test_a_triton_that_listens_and_does_not_answer_yet_passes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        asyncio.run(check_triton(f"127.0.0.1:{server.getsockname()[1]}"))


def test_a_postgres_that_is_not_there_is_told() -> None:
    port = free_port()
    message = refusal(check_database(f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/d"))
    assert message.startswith(f"DATABASE_URL: no Postgres is reached at 127.0.0.1:{port} (")
    assert "unset DATABASE_URL" in message


def test_a_host_that_does_not_exist_is_told() -> None:
    message = refusal(check_database(f"postgresql://me:{PASSWORD}@no.such.host.invalid/d"))
    assert message.startswith("DATABASE_URL: no Postgres is reached at no.such.host.invalid:5432 (")


@pytest.mark.parametrize(
    "url", [f"mysql://me:{PASSWORD}@%/d", f"postgresql://me:{PASSWORD}#1@/d", f"postgresql://me:{PASSWORD}@h:one/d"]
)
def test_an_invalid_address_of_postgres_is_told(url: str) -> None:
    assert "postgresql://user:password@host:port/database" in refusal(check_database(url))


def test_a_server_that_is_no_postgres_is_told() -> None:
    async def scenario() -> None:
        async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            await check_database(f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/d")

    assert refusal(scenario()).startswith("DATABASE_URL cannot be used (")


def test_a_postgres_that_starts_up_is_waited_for() -> None:
    """It refuses twice, as in recovery, and then with an error that ends the wait."""
    said = iter([b"57P03", b"57P03", b"28P01"])

    async def scenario() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if await reader.read(1024):  # a check that anything listens sends nothing
                fields = b"SFATAL\0C" + next(said) + b"\0Mnot now\0\0"
                writer.write(b"E" + (len(fields) + 4).to_bytes(4) + fields)
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            await check_database(f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/d?sslmode=disable")

    assert "DATABASE_URL cannot be used (not now)" in refusal(scenario())
    assert next(said, None) is None

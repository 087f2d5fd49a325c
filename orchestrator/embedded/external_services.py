"""Checks a Postgres or a Triton elsewhere: fails at once on a wrong address, waits for a server that starts up."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from lectern.triton.channel import SOCKET, checked_address
from orchestrator.embedded import CannotStart

CONNECT_TIMEOUT = 5.0  # seconds
DATABASE_TIMEOUT = 60.0  # seconds for a Postgres that starts up or recovers
PAUSE = 0.5
SCHEMES = ("postgresql", "postgres")

Connection = Coroutine[Any, Any, tuple[asyncio.StreamReader, asyncio.StreamWriter]]

_FORM = "postgresql://user:password@host:port/database"


async def check_triton(address: str) -> None:
    """Raises CannotStart if nothing listens there. Whether Triton is ready is checked later."""
    try:
        checked_address(address)
    except ValueError as error:
        raise CannotStart(f"TRITON_URL cannot be used: {error}") from None
    if address.startswith(SOCKET):
        path = address.removeprefix(SOCKET)
        await _check_connection("TRITON_URL", "Triton", path, asyncio.open_unix_connection(path))
        return
    host, _, port = address.rpartition(":")
    await _check_tcp("TRITON_URL", "Triton", host.strip("[]"), int(port))


async def check_database(url: str, limit: float = DATABASE_TIMEOUT) -> None:
    """Returns once Postgres accepts a connection. Raises CannotStart; no message has the password."""
    await _check_database_address(url)
    until = time.monotonic() + limit
    while True:
        try:
            connection = await asyncpg.connect(url, timeout=max(1.0, until - time.monotonic()))
        except (asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError) as error:
            if time.monotonic() > until:
                raise _not_usable(f"Postgres did not let us in within {limit:.0f} s: {error}") from None
            await asyncio.sleep(PAUSE)
        except TimeoutError:
            raise _not_usable(f"Postgres did not answer within {limit:.0f} s") from None
        except ValueError:  # its text may have a part of the password
            raise _not_usable("it does not read as an address") from None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise _not_usable(" ".join(str(error).split())) from None
        else:
            await connection.close()
            return


async def _check_database_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 5432
    except ValueError:
        raise _not_usable("it does not read as an address") from None
    if parts.scheme not in SCHEMES:
        raise _not_usable(f"it begins with {parts.scheme}://, not with postgresql://")
    if host and "," not in parts.netloc:  # else the folder of a socket, or several hosts, which asyncpg tries in turn
        await _check_tcp("DATABASE_URL", "Postgres", host, port)


async def _check_tcp(setting: str, service: str, host: str, port: int) -> None:
    await _check_connection(setting, service, f"{host}:{port}", asyncio.open_connection(host, port))


async def _check_connection(setting: str, service: str, address: str, connection: Connection) -> None:
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            _, writer = await connection
    except TimeoutError:
        reason = f"no connection within {CONNECT_TIMEOUT:.0f} s"
    except OSError as error:
        reason = error.strerror or str(error)
    else:
        writer.transport.abort()
        return
    raise CannotStart(
        f"{setting}: no {service} is reached at {address} ({reason}): start it, correct the address, "
        f"or unset {setting} to have one started here"
    )


def _not_usable(reason: str) -> CannotStart:
    return CannotStart(
        f"DATABASE_URL cannot be used ({reason}): correct it, as {_FORM}, or unset it to have a Postgres started here"
    )

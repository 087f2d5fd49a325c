"""What each process does; the heavy imports stand inside, so that a process loads only what it runs."""
# ruff: noqa: PLC0415

import argparse
import asyncio
import sys
from collections.abc import Callable
from typing import Final

import msgspec

from orchestrator import settings
from orchestrator.lib import logs
from orchestrator.lib.environment import read
from orchestrator.lib.settings import DatabaseSettings

_OTHER_FILES: Final = 256  # of a process: database, Triton, store, log


def serve() -> None:
    """Serve the REST API until SIGTERM or SIGINT."""
    import uvicorn

    from orchestrator.app import web_app
    from orchestrator.lib.http_protocol import allow_open_files, http_protocol

    chosen = settings.load()
    logs.configure(chosen.log)
    allow_open_files(2 * chosen.server.max_connections + _OTHER_FILES)
    uvicorn.run(
        web_app(chosen),
        http=http_protocol(chosen.server),
        host=chosen.server.host,
        port=chosen.server.port,
        timeout_keep_alive=chosen.server.keep_alive_seconds,
        timeout_graceful_shutdown=chosen.server.drain_seconds,
        ws_max_size=chosen.server.max_socket_message,
        access_log=False,
        log_config=None,
        server_header=False,
    )


def worker() -> None:
    """Run jobs until SIGTERM or SIGINT."""
    import prometheus_client

    from orchestrator.runtime import open_runtime
    from orchestrator.work import make_worker

    chosen = settings.load()
    logs.configure(chosen.log)
    if chosen.worker.port:
        prometheus_client.start_http_server(chosen.worker.port)

    async def run() -> None:
        async with open_runtime(chosen) as runtime:
            await make_worker(runtime).run()

    asyncio.run(run())


def guard() -> None:
    """Guard the models of one Triton until SIGTERM or SIGINT: probe them, and load again what does not speak."""
    from orchestrator.guard import program
    from orchestrator.guard.settings import GuardSettings
    from orchestrator.lib.settings import LogSettings, TritonSettings

    triton, chosen = read(TritonSettings), read(GuardSettings)
    logs.configure(read(LogSettings))
    asyncio.run(program.guard(triton, chosen))


def setup() -> None:
    """Migrate the database and make the local account; prints {"api_key": KEY} at the first start, else null."""
    from orchestrator.accounts.service import ensure_local_account
    from orchestrator.lib.database import pool
    from orchestrator.migrations.run import migrate

    database = read(DatabaseSettings)

    async def run() -> str | None:
        await migrate(database)
        async with pool(database):
            return await ensure_local_account()

    _print({"api_key": asyncio.run(run())})


def key() -> None:
    """Make a further API key for the local account; prints {"api_key": KEY}, which is not shown again."""
    from orchestrator.accounts.service import add_local_key
    from orchestrator.lib.database import pool

    async def run() -> str:
        async with pool(read(DatabaseSettings)):
            return await add_local_key("made on the command line")

    _print({"api_key": asyncio.run(run())})


def jobs(action: str, number: int | None) -> int:
    """Print the jobs that failed for good, as JSON, or have one of them tried again: `jobs retry NUMBER`."""
    from orchestrator.jobs import dead_letters
    from orchestrator.lib.database import pool

    async def run() -> int:
        async with pool(read(DatabaseSettings)):
            if action == "list":
                _print(await dead_letters.list_all())
            elif number is None or not await dead_letters.retry(number):
                print("name a job by the number in `python -m orchestrator jobs`", file=sys.stderr)  # noqa: T201
                return 2
            return 0

    return asyncio.run(run())


def openapi() -> None:
    """Print the description of the REST API as JSON; needs no database and no Triton."""
    from orchestrator.app import create_app

    anywhere = {"DATABASE_URL": "-", "STORE_URL": "-", "TRITON_URL": "-"}
    description = msgspec.json.encode(create_app(settings.load(anywhere)).openapi_schema.to_schema())
    sys.stdout.buffer.write(msgspec.json.format(description, indent=2) + b"\n")


def list_settings() -> None:
    """Print every setting as a Markdown page, the one that is kept in docs/settings.md."""
    from orchestrator.settings_page import settings_page

    sys.stdout.write(settings_page())


def _print(value: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


def _jobs_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("list", "retry"), default="list")
    parser.add_argument("number", nargs="?", type=int)


ARGUMENTS: Final[dict[str, Callable[[argparse.ArgumentParser], None]]] = {"jobs": _jobs_arguments}
COMMANDS: Final[dict[str, Callable[..., int | None]]] = {
    "serve": serve,
    "worker": worker,
    "guard": guard,
    "setup": setup,
    "key": key,
    "jobs": jobs,
    "openapi": openapi,
    "settings": list_settings,
}

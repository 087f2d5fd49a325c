"""`python -P -m lectern_triton.higgs_engine --driver MODULE --socket FD` runs one engine until that socket closes."""

import argparse
import asyncio
import importlib
import logging
import os
import signal
import socket
import sys
from typing import Final, cast

from lectern_triton.higgs_engine.driver import Load
from lectern_triton.higgs_engine.server import Server
from lectern_triton.parent_death import end_with_parent

READ_AHEAD: Final = 1 << 20  # bytes

log = logging.getLogger("higgs_engine")


def main() -> None:
    parser = argparse.ArgumentParser(prog="higgs_engine", description=__doc__)
    parser.add_argument("--driver", required=True, help="a module with a function `load`")
    parser.add_argument("--socket", required=True, type=int, help="the descriptor of a connected socket")
    arguments = parser.parse_args()
    os.set_inheritable(arguments.socket, False)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    end_with_parent(_end)  # if the loop hangs, nobody notices that the socket has closed
    asyncio.run(_serve(arguments.driver, socket.socket(fileno=arguments.socket)))


async def _serve(driver: str, connection: socket.socket) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=READ_AHEAD)

    def load(*given: object) -> object:
        # Imported here, in the loading thread: it may take a minute, while messages still come and go.
        return importlib.import_module(driver).load(*given)

    try:
        await Server(cast(Load, load), reader, writer).run()
    except Exception:
        log.exception("ended")
    _end()  # asyncio.run would wait for the loading thread, which may take minutes


def _end() -> None:
    """Kills this process with all its threads and all processes that it started."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if os.getpgrp() == os.getpid():  # it leads a process group of its own, as the backend starts it
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main()

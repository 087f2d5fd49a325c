"""A server that speaks S3 over a folder; LECTERN_TEST_S3 names the program: `PROGRAM --port HOST:PORT posix FOLDER`."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.nginx import wait_until_it_listens

PROGRAM = os.environ.get("LECTERN_TEST_S3", "")
_ACCESS, _SECRET = "tester", "not-so-secret"


@contextmanager
def s3(folder: Path) -> Iterator[dict[str, str]]:
    """Yields the environment of a process that keeps its audio there."""
    (folder / "bucket").mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [PROGRAM, "--port", f"127.0.0.1:{port}", "posix", str(folder)],
        env={**os.environ, "ROOT_ACCESS_KEY": _ACCESS, "ROOT_SECRET_KEY": _SECRET},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until_it_listens(port, process)
        yield {
            "STORE_URL": "s3://bucket/audio",
            "AWS_ENDPOINT": f"http://127.0.0.1:{port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": _ACCESS,
            "AWS_SECRET_ACCESS_KEY": _SECRET,
        }
    finally:
        process.terminate()
        process.wait(timeout=60)

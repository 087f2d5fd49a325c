"""An nginx in front of a web process, set up as docs/audio-delivery.md says."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.stack import ROOT

PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
AROUND = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; {user}
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {server}
}}
"""


@contextmanager
def nginx(folder: Path, server_url: str, store: Path) -> Iterator[str]:
    """Yields its address. ``folder`` is for its own files."""
    assert PROGRAM is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = (ROOT / "docs" / "audio-delivery.md").read_text()
    (server,) = re.findall(r"```nginx\n(.*?)```", page, re.DOTALL)
    for written, meant in {
        "listen 80;": f"listen 127.0.0.1:{port};",
        "http://127.0.0.1:8000;": f"http://{urlsplit(server_url).netloc};",
        "/var/lib/lectern/store/": f"{store}/",
    }.items():
        assert written in server
        server = server.replace(written, meant)
    folder.mkdir()
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, server=server, user=user))
    process = subprocess.Popen(
        [PROGRAM, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"], stdin=subprocess.DEVNULL
    )
    try:
        wait_until_it_listens(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


def wait_until_it_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + 60
    while True:
        assert process.poll() is None, "it ended before it listened"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < limit, "it does not listen"
            time.sleep(0.05)
        else:
            return

"""Finds the server and the key to it: argument, environment, else the stack of this machine."""

import ipaddress
import os
from dataclasses import dataclass, field
from typing import Any, Final, Self

import httpx

from lectern import local_stack
from lectern.errors import LecternError
from lectern.version import __version__

DEFAULT_URL: Final = "http://127.0.0.1:8000"
_CONNECT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Connection:
    url: str
    api_key: str | None = field(repr=False)

    @classmethod
    def find(cls, url: str | None, api_key: str | None) -> Self:
        """Returns the server and its key. Raises ValueError for what is not a web address, LecternError for a malformed
        key and for damaged files of this machine's stack.
        """
        running = None if url or os.environ.get("LECTERN_URL") else local_stack.running_url()
        found = checked_url(url or os.environ.get("LECTERN_URL") or running or DEFAULT_URL)
        key = api_key or os.environ.get("LECTERN_API_KEY")
        # The key of this machine's own stack is not for other servers.
        if not key and (running or _is_loopback(found)):
            key = local_stack.api_key()
        if key and not (key.isascii() and key.isprintable()):
            raise LecternError("the API key holds characters that no key has: copy it anew")
        return cls(found, key)

    def options(self, timeout: float) -> dict[str, Any]:
        """Returns the arguments of httpx's client. `timeout` is in seconds without a byte of the response."""
        headers = {"user-agent": f"lectern-python/{__version__}"}
        if self.api_key:
            headers["authorization"] = f"Bearer {self.api_key}"
        return {
            "base_url": self.url,
            "headers": headers,
            "timeout": httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
            "trust_env": not _is_loopback(self.url),  # a proxy for the outside cannot reach this machine
        }


def checked_url(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"{url!r} is not a web address: {error}") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ValueError(f"{url!r} is not a web address such as {DEFAULT_URL}")
    return url.rstrip("/")


def _is_loopback(url: str) -> bool:
    host = httpx.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

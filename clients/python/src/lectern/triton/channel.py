"""The gRPC channel of both clients: its address, its options and the secret that every call sends."""

from pathlib import Path
from typing import Final
from urllib.parse import quote

SOCKET: Final = "unix:"  # begins the address of a socket in the file system

SECRET_KEY: Final = "lectern-secret"  # noqa: S105 - the key in Triton's `--grpc-restricted-protocol`
SECRET_FILE: Final = "secret"  # noqa: S105 - beside the socket of a Triton that runs on this machine

_METADATA_NAME: Final = f"triton-grpc-protocol-{SECRET_KEY}"  # the header in which Triton looks for it

_MAX_PORT: Final = 65_535
_MAX_MESSAGE: Final = 64 * 1024 * 1024  # bytes; gRPC's own limit of 4 MiB is near a voice prompt of 30 s at 48 kHz

# Triton closes connections whose clients ping more often than every 5 minutes without data (its default).
_KEEPALIVE_MS: Final = 330_000
_KEEPALIVE_TIMEOUT_MS: Final = 10_000

# How much longer the gRPC deadline is than the one the model gets: the model's own error says more.
DEADLINE_GRACE: Final = 0.5  # seconds

# How long a model may take to end a cancelled request, before its stream is broken off.
CANCEL_SECONDS: Final = 1.0


def channel_options(connect_timeout: float) -> list[tuple[str, int]]:
    return [
        ("grpc.max_send_message_length", _MAX_MESSAGE),
        ("grpc.max_receive_message_length", _MAX_MESSAGE),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
        # Despite its name this is how long one attempt to connect may take.
        ("grpc.min_reconnect_backoff_ms", int(connect_timeout * 1000)),
        # gRPC's default backs off to two minutes; a restarted Triton should be found again at once.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
        ("grpc.enable_http_proxy", 0),  # Triton is a neighbour, never behind the proxy for the outside
        ("grpc.use_local_subchannel_pool", 1),  # otherwise channels share a connection, its backoff and its fate
    ]


def checked_address(address: str) -> str:
    """Raises ValueError unless the address is host:port, or unix: and the whole path of a socket."""
    if address.startswith(f"{SOCKET}/") and not address.startswith(f"{SOCKET}//"):
        return address
    host, separator, port = address.rpartition(":")
    if "/" in address or not host or not separator or not port.isdigit() or not 0 < int(port) <= _MAX_PORT:
        raise ValueError(
            "Triton's address is host:port of its gRPC service, such as 127.0.0.1:8001, or unix:/path of its socket, "
            f"not {address!r}"
        )
    return address


def grpc_target(address: str) -> str:
    """Returns the address as gRPC reads it: the path of a socket is quoted as in a URL."""
    return SOCKET + quote(address.removeprefix(SOCKET), safe="/:") if address.startswith(SOCKET) else address


def call_metadata(address: str, secret: str | None) -> tuple[tuple[str, str], ...]:
    """Returns the metadata of every call to a Triton. Raises ValueError for a secret that cannot be sent as a header.

    Without a secret, takes the one in the file beside the socket, which only the user who runs Triton can read.
    """
    secret = secret or _secret_beside(address)
    return ((_METADATA_NAME, checked_secret(secret)),) if secret else ()


def checked_secret(secret: str) -> str:
    """Raises ValueError for a secret that cannot be sent as a header."""
    if not secret.isascii() or not secret.isprintable() or secret != secret.strip():
        raise ValueError("Triton's secret is of printable ASCII characters, without spaces around it")
    return secret


def _secret_beside(address: str) -> str | None:
    if not address.startswith(SOCKET):
        return None
    try:
        return Path(address.removeprefix(SOCKET)).with_name(SECRET_FILE).read_text().strip()
    except OSError:  # there is none, or it is another user's, as the socket is
        return None

"""Settings of the processes themselves, of the database, of Triton and of the store."""

from typing import Annotated, Literal

from orchestrator.lib.environment import EnvSettings, Secret, env


class ServerSettings(EnvSettings, frozen=True, kw_only=True):
    host: Annotated[str, env("LECTERN_HOST", "Address the REST API listens on.")] = "127.0.0.1"
    port: Annotated[int, env("LECTERN_PORT", "Port the REST API listens on.", ge=1, le=65535)] = 8000
    drain_seconds: Annotated[
        int, env("LECTERN_DRAIN_SECONDS", "Seconds that open responses may take at stop.", ge=0)
    ] = 5
    max_head_bytes: Annotated[
        int, env("LECTERN_MAX_HEAD_BYTES", "Largest request line with all headers, in bytes.", ge=4096)
    ] = 65_536
    max_body_bytes: Annotated[int, env("LECTERN_MAX_BODY_BYTES", "Largest request body, in bytes.", ge=1024)] = 8 << 20
    max_connections: Annotated[
        int,
        env("LECTERN_MAX_CONNECTIONS", "Open connections, WebSockets included; more are answered with 503.", ge=1),
    ] = 1000
    request_seconds: Annotated[
        float,
        env("LECTERN_REQUEST_SECONDS", "Seconds in which a request's headers must come, and then its body.", gt=0),
    ] = 20.0
    min_body_rate: Annotated[
        int, env("LECTERN_MIN_BODY_RATE", "Bytes a second at which a body may take longer than that.", ge=1)
    ] = 1_000
    keep_alive_seconds: Annotated[
        int,
        env("LECTERN_KEEP_ALIVE_SECONDS", "Seconds for which a connection without a request stays open.", ge=1),
    ] = 65  # more than the 60 of common load balancers, which would otherwise meet connections that just end
    stalled_seconds: float = 300.0  # after which an answer that is not read is broken off
    cors_origins: Annotated[
        str,
        env(
            "LECTERN_CORS_ORIGINS",
            "Origins whose pages may use the API from browsers, such as https://reader.example.com,http://localhost:5173.",
            pattern=r"^(|[a-z][a-z0-9+.-]*://[^/,*\s]+(\s*,\s*[a-z][a-z0-9+.-]*://[^/,*\s]+)*)$",
        ),
    ] = ""
    max_socket_message: int = 4_096  # bytes of one WebSocket message

    def allowed_origins(self) -> frozenset[str]:
        return frozenset(origin.strip().lower() for origin in self.cors_origins.split(",") if origin.strip())


class LogSettings(EnvSettings, frozen=True, kw_only=True):
    level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], env("LECTERN_LOG_LEVEL", "Least severe level that is logged.")
    ] = "INFO"
    format: Annotated[
        Literal["json", "console"], env("LECTERN_LOG_FORMAT", "One JSON object per line, or lines for people.")
    ] = "json"


class DatabaseSettings(EnvSettings, frozen=True, kw_only=True):
    url: Annotated[Secret, env("DATABASE_URL", "Postgres: postgresql://user:password@host:port/database.")]
    pool_size: Annotated[int, env("LECTERN_DATABASE_POOL", "Connections of each process.", ge=1, le=100)] = 8


class TritonSettings(EnvSettings, frozen=True, kw_only=True):
    address: Annotated[str, env("TRITON_URL", "Triton's gRPC address: host:port, or unix:/path of its socket.")]
    secret: Annotated[
        Secret,
        env("TRITON_SECRET", "The secret of a Triton elsewhere whose protocols are restricted by lectern-secret."),
    ] = Secret("")


class StoreSettings(EnvSettings, frozen=True, kw_only=True):
    url: Annotated[str, env("STORE_URL", "Where audio is stored: file:///folder, s3://bucket/prefix, …")]

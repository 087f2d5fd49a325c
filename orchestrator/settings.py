"""Settings, one struct per concern, read from the environment once at start."""

import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta


class Secret:
    """A setting that never shows itself in a log, a traceback or a dump."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"


class SettingsError(Exception):
    """A setting is missing or cannot be used; the message names it."""


class _Settings(msgspec.Struct, frozen=True, kw_only=True):
    """A field's environment variable and its one-sentence meaning stand in its ``Meta``."""


def _env(variable: str, meaning: str, **bounds: Any) -> Meta:  # noqa: ANN401 - whatever Meta takes
    return Meta(description=meaning, extra={"env": variable}, **bounds)


class ServerSettings(_Settings, frozen=True, kw_only=True):
    host: Annotated[str, _env("LECTERN_HOST", "Address the REST API listens on.")] = "127.0.0.1"
    port: Annotated[int, _env("LECTERN_PORT", "Port the REST API listens on.", ge=1, le=65535)] = 8000
    drain_seconds: Annotated[int, _env("LECTERN_DRAIN_SECONDS", "How long open responses may take at stop.", ge=0)] = 5
    max_body_bytes: Annotated[int, _env("LECTERN_MAX_BODY_BYTES", "Largest request body, in bytes.", ge=1024)] = 8 << 20


class AccountSettings(_Settings, frozen=True, kw_only=True):
    key_memory_seconds: Annotated[
        float,
        _env(
            "LECTERN_KEY_MEMORY", "Seconds a process trusts a key it has checked; a revoked one may last so long.", ge=0
        ),
    ] = 5.0


class LogSettings(_Settings, frozen=True, kw_only=True):
    level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], _env("LECTERN_LOG_LEVEL", "Least severe level that is logged.")
    ] = "INFO"
    format: Annotated[
        Literal["json", "console"], _env("LECTERN_LOG_FORMAT", "One JSON object per line, or lines for people.")
    ] = "json"


class DatabaseSettings(_Settings, frozen=True, kw_only=True):
    url: Annotated[Secret, _env("DATABASE_URL", "Postgres: postgresql://user:password@host:port/database.")]
    pool_size: Annotated[int, _env("LECTERN_DATABASE_POOL", "Connections each process may open.", ge=1, le=100)] = 8


class StoreSettings(_Settings, frozen=True, kw_only=True):
    url: Annotated[str, _env("STORE_URL", "Where audio is kept: file:///folder, s3://bucket/prefix, …")]


class TritonSettings(_Settings, frozen=True, kw_only=True):
    address: Annotated[str, _env("TRITON_URL", "Triton's gRPC address, host:port.")]


class SpeechSettings(_Settings, frozen=True, kw_only=True):
    default_model: Annotated[
        str,
        _env(
            "LECTERN_DEFAULT_MODEL",
            "Model that speaks when none is named; also OpenAI's tts-1 and tts-1-hd. Left out: kokoro, else espeak.",
        ),
    ] = ""
    default_voice: Annotated[
        str, _env("LECTERN_DEFAULT_VOICE", "Voice that speaks when none is named; left out: the model's own default.")
    ] = ""
    max_input: Annotated[
        int, _env("LECTERN_SPEECH_MAX_INPUT", "Characters one speech request may carry.", ge=1, le=1_000_000)
    ] = 20_000
    first_seconds: Annotated[
        float,
        _env("LECTERN_FIRST_SEGMENT", "Seconds of the first segment of a request, short for a quick start.", gt=0),
    ] = 5.0
    segments_ahead: Annotated[
        int, _env("LECTERN_SEGMENTS_AHEAD", "Segments made ahead of the one being sent.", ge=0, le=16)
    ] = 2
    deadline_seconds: Annotated[
        float, _env("LECTERN_SPEECH_DEADLINE", "Seconds a model may take for one segment, queue included.", gt=0)
    ] = 120.0
    encoder_threads: Annotated[int, _env("LECTERN_ENCODER_THREADS", "Threads that encode audio.", ge=1, le=64)] = 4


class DocumentSettings(_Settings, frozen=True, kw_only=True):
    max_characters: Annotated[
        int, _env("LECTERN_DOCUMENT_MAX_CHARACTERS", "Characters one document may have.", ge=1, le=20_000_000)
    ] = 2_000_000
    max_title: Annotated[int, _env("LECTERN_DOCUMENT_MAX_TITLE", "Characters a title may have.", ge=1, le=2_000)] = 300
    max_page: Annotated[int, _env("LECTERN_MAX_PAGE", "Items one page of a list may have.", ge=1, le=10_000)] = 500


class HealthSettings(_Settings, frozen=True, kw_only=True):
    probe_seconds: Annotated[float, _env("LECTERN_PROBE_SECONDS", "Pause between two proofs of a model.", gt=0)] = 4.0
    probe_timeout: Annotated[float, _env("LECTERN_PROBE_TIMEOUT", "Seconds one proof may take.", gt=0)] = 5.0
    stale_seconds: Annotated[
        float, _env("LECTERN_PROOF_STALE_SECONDS", "Age at which a proof no longer counts.", gt=0)
    ] = 15.0


class WorkerSettings(_Settings, frozen=True, kw_only=True):
    concurrency: Annotated[int, _env("LECTERN_WORKER_CONCURRENCY", "Jobs a worker runs at once.", ge=1, le=100)] = 2
    heartbeat_seconds: Annotated[
        float, _env("LECTERN_WORKER_HEARTBEAT", "Pause between a worker's signs of life.", gt=0, le=60)
    ] = 2.0
    stalled_seconds: Annotated[
        float, _env("LECTERN_WORKER_STALLED", "Silence after which a worker's jobs are given to others.", gt=0)
    ] = 6.0


class EmbeddedSettings(_Settings, frozen=True, kw_only=True):
    """Of the stack that runs on one machine; the server processes do not read them."""

    models: Annotated[
        str,
        _env(
            "LECTERN_MODELS",
            "Models the embedded Triton loads, by name, with commas; auto: espeak, and kokoro if it is installed.",
        ),
    ] = "auto"
    model_repository: Annotated[
        str, _env("LECTERN_MODEL_REPOSITORY", "Folder of models; left out: model_repository/ of the checkout.")
    ] = ""
    model_repositories: Annotated[str, _env("LECTERN_MODEL_REPOSITORIES", "More folders of models, with colons.")] = ""
    postgres_user: Annotated[
        str, _env("LECTERN_POSTGRES_USER", "Whom root runs Postgres as; left out: postgres, else nobody.")
    ] = ""
    sample: Annotated[bool, _env("LECTERN_SAMPLE", "Whether `make up` reads the sample document aloud: 1 or 0.")] = True


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    server: ServerSettings
    accounts: AccountSettings
    log: LogSettings
    database: DatabaseSettings
    store: StoreSettings
    triton: TritonSettings
    speech: SpeechSettings
    documents: DocumentSettings
    health: HealthSettings
    worker: WorkerSettings


S = TypeVar("S", bound=_Settings)


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Raises `SettingsError` with one line that names the variable and what is wrong with it."""
    concerns = {field.name: read(field.type, environment) for field in msgspec.structs.fields(Settings)}
    return Settings(**concerns)


def read(concern: type[S], environment: Mapping[str, str] = os.environ) -> S:
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(concern):
        variable = variable_of(field)
        if variable in environment:
            values[field.name] = _convert(environment[variable], field.type, variable)
        elif field.required:
            raise SettingsError(f"{variable} is not set. {meaning_of(field)}")
    return concern(**values)


def variable_of(field: msgspec.structs.FieldInfo) -> str:
    return str(_meta(field).extra["env"])  # type: ignore[index]


def meaning_of(field: msgspec.structs.FieldInfo) -> str:
    return str(_meta(field).description)


def _meta(field: msgspec.structs.FieldInfo) -> Meta:
    return next(item for item in field.type.__metadata__ if isinstance(item, Meta))


def _convert(text: str, kind: Any, variable: str) -> Any:  # noqa: ANN401 - the field's own type
    try:
        return msgspec.convert(text, kind, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{variable} cannot be used: {error}") from None


def _decode(kind: type, value: Any) -> Any:  # noqa: ANN401 - msgspec's hook
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise NotImplementedError(f"no setting of type {kind}")

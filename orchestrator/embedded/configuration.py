"""The configuration of a stack: addresses of external services, and folders and ports of the embedded ones."""

import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lectern.triton.channel import checked_secret
from orchestrator.embedded import CannotStart
from orchestrator.embedded.home import Home
from orchestrator.embedded.models import load_timeouts, needs, voices_of
from orchestrator.embedded.ports import LOOPBACK, free_port
from orchestrator.embedded.settings import EmbeddedSettings
from orchestrator.embedded.triton import TritonConfiguration, socket_in
from orchestrator.guard.limits import LOAD_SLACK
from orchestrator.lib.environment import Secret, SettingsError, read
from orchestrator.lib.settings import ServerSettings

ROOT = Path(__file__).resolve().parents[2]  # the checkout, from which `orchestrator` is imported
MODELS_PYTHON = ROOT / ".venvs" / "models" / "bin" / "python"
ENGINE_PYTHON = ROOT / ".venvs" / "vllm" / "bin" / "python"  # used if it exists


@dataclass(frozen=True, slots=True)
class StackConfiguration:
    home: Home
    host: str
    """Address on which the REST API listens."""
    port: int
    database_url: str | None
    """Address of an external Postgres; None: one is started."""
    triton: TritonConfiguration | str
    """Address of an external Triton, or the configuration of the one to start."""
    triton_secret: Secret
    """What Triton's clients send; empty: an external Triton needs none."""
    store_url: str
    guard: int | None
    """Port of the guard to start on this machine; None: `guard_url` is an external one."""
    guard_url: str
    sample: bool
    """Whether the sample document is read aloud once the stack is ready."""

    @classmethod
    def of(cls, home: Home, environment: Mapping[str, str] = os.environ) -> "StackConfiguration":
        """Raises CannotStart if a setting cannot be used."""
        given = dict(environment)
        guard = None if given.get("LECTERN_GUARD_URL") else free_port()
        any_port = given.get("LECTERN_PORT") == "0"
        if any_port:
            del given["LECTERN_PORT"]
        try:
            server = read(ServerSettings, given)
            embedded = read(EmbeddedSettings, given)
        except SettingsError as error:
            raise CannotStart(str(error)) from None
        try:
            secret = Secret(checked_secret(given.get("TRITON_SECRET", "")))
        except ValueError as error:
            raise CannotStart(f"TRITON_SECRET cannot be used: {error}") from None
        triton = given.get("TRITON_URL") or _embedded_triton(home, embedded, secret)
        return cls(
            home=home,
            host=server.host,
            port=free_port() if any_port else server.port,
            database_url=given.get("DATABASE_URL") or None,
            triton=triton,
            triton_secret=secret if isinstance(triton, str) else triton.secret,
            store_url=given.get("STORE_URL") or home.store.as_uri(),
            guard=guard,
            guard_url=given.get("LECTERN_GUARD_URL") or f"http://{LOOPBACK}:{guard}",
            sample=embedded.sample,
        )

    @property
    def url(self) -> str:
        """Address of the REST API for clients on this machine."""
        host = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def triton_url(self) -> str:
        return self.triton if isinstance(self.triton, str) else self.triton.address

    def environment(self, database_url: str) -> dict[str, str]:
        """Returns the environment of the orchestrator's processes."""
        return {
            **os.environ,
            "DATABASE_URL": database_url,
            "TRITON_URL": self.triton_url,
            "TRITON_SECRET": self.triton_secret.reveal(),
            "STORE_URL": self.store_url,
            "LECTERN_HOME": str(self.home.path),
            "LECTERN_HOST": self.host,
            "LECTERN_PORT": str(self.port),
            "LECTERN_GUARD_URL": self.guard_url,
        }

    def guard_environment(self) -> dict[str, str]:
        """Returns the environment of the guard, which needs no database."""
        external = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "STORE_URL")}
        chosen = {
            "TRITON_URL": self.triton_url,
            "TRITON_SECRET": self.triton_secret.reveal(),
            "LECTERN_GUARD_LISTEN": f"{LOOPBACK}:{self.guard}",
        }
        if not isinstance(self.triton, str):
            needs = self.triton.needs.items()
            limits = [f"{model}.load={seconds + LOAD_SLACK:g}" for model, seconds in self.triton.load_timeouts.items()]
            chosen |= {
                "LECTERN_GUARD_MODELS": ",".join(f"{model}={'+'.join(its)}" for model, its in needs),
                "LECTERN_GUARD_PROCESSES": self.triton.shared_memory,
                "LECTERN_MODEL_LIMITS": ",".join([*limits, os.environ.get("LECTERN_MODEL_LIMITS", "")]).strip(","),
            }
        return external | chosen


def _embedded_triton(home: Home, settings: EmbeddedSettings, secret: Secret) -> TritonConfiguration:
    repository = Path(settings.model_repository) if settings.model_repository else ROOT / "model_repository"
    more = [Path(folder) for folder in settings.model_repositories.split(os.pathsep) if folder]
    voices = voices_of(settings.models, [repository, *more])
    return TritonConfiguration(
        python=MODELS_PYTHON,
        repository=repository,
        backends=ROOT / "docker" / "triton" / "backends",
        state=home.triton,
        log=home.log("triton"),
        socket=socket_in(home.triton),
        metrics_port=free_port(),
        # Named after the home, which has one stack at a time: a start cleans up what a killed stack left behind.
        shared_memory=f"lectern-{hashlib.sha256(bytes(home.path.resolve())).hexdigest()[:12]}-",
        needs=needs(voices, [repository, *more]),
        more_repositories=more,
        engine_python=_engine_python(settings),
        load_timeouts=load_timeouts(voices, [repository, *more]),
        secret=secret if secret.reveal() else Secret(secrets.token_urlsafe(32)),
        restrict_inference=settings.restrict_inference,
        device=settings.device,
    )


def _engine_python(settings: EmbeddedSettings) -> Path | None:
    if settings.engine_python:
        return Path(settings.engine_python)
    return ENGINE_PYTHON if ENGINE_PYTHON.is_file() else None

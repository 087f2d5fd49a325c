"""Settings of the health checks."""

from typing import Annotated

from orchestrator.lib.environment import EnvSettings, env


class HealthSettings(EnvSettings, frozen=True, kw_only=True):
    guard_url: Annotated[
        str,
        env(
            "LECTERN_GUARD_URL",
            "Address of the model guard, http://host:port. Left out: the process probes the models itself, and nobody"
            " recovers them.",
            pattern=r"^(https?://.+[^/])?$",
        ),
    ] = ""
    shared_seconds: float = 3.0  # for which a result of the checks is told to everybody who asks

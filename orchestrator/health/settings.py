"""Settings of the probes."""

from typing import Annotated

from orchestrator.lib.environment import EnvSettings, env


class HealthSettings(EnvSettings, frozen=True, kw_only=True):
    probe_seconds: float = 4.0  # between two probes of a model
    probe_timeout: Annotated[float, env("LECTERN_PROBE_TIMEOUT", "Seconds for one probe of a model.", gt=0)] = 5.0
    stale_seconds: float = 15.0  # after which a probe no longer counts

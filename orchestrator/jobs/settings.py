"""Settings of jobs and of the worker that runs them."""

from typing import Annotated

from orchestrator.lib.environment import EnvSettings, env


class WorkerSettings(EnvSettings, frozen=True, kw_only=True):
    concurrency: Annotated[int, env("LECTERN_WORKER_CONCURRENCY", "Jobs that a worker runs at once.", ge=1, le=100)] = 2
    speech_concurrency: Annotated[
        int,
        env("LECTERN_WORKER_SPEECH", "Jobs that a worker runs beside those, and that speak.", ge=1, le=100),
    ] = 4
    port: Annotated[
        int, env("LECTERN_WORKER_PORT", "Port of the worker's /metrics, on all addresses. 0: none.", ge=0, le=65535)
    ] = 0
    keep_days: Annotated[
        int, env("LECTERN_JOBS_KEEP", "Days after which what is known of a finished job is deleted.", ge=1)
    ] = 30
    heartbeat_seconds: float = 2.0  # between a worker's signs of life
    stalled_seconds: float = 6.0  # of silence, after which a worker's jobs go to others
    poll_seconds: float = 2.0  # between two looks for jobs that are due, such as those to be tried again
    grace_seconds: float = 8.0  # for running jobs to finish when the worker is stopped

"""`python -m orchestrator guard`: guards the models of one Triton, and serves what it knows over HTTP."""

import asyncio

import uvicorn

from lectern.triton import AsyncTriton
from orchestrator.guard.endpoint import GuardEndpoint
from orchestrator.guard.model_guard import ModelGuard
from orchestrator.guard.model_processes import Stubs
from orchestrator.guard.reports import Reports
from orchestrator.guard.settings import GuardSettings, required_models
from orchestrator.lib.settings import TritonSettings


async def guard(triton: TritonSettings, settings: GuardSettings) -> None:
    """Runs until SIGTERM or SIGINT; ends with an error if either half does."""
    host, _, port = settings.listen.rpartition(":")
    reports = Reports()
    async with AsyncTriton(triton.address, secret=triton.secret.reveal()) as client:
        guards = ModelGuard(
            client,
            reports,
            required=required_models(settings.models),
            limits=settings.limits,
            processes=Stubs(settings.processes) if settings.processes else None,
        )
        server = uvicorn.Server(
            uvicorn.Config(
                GuardEndpoint(guards, reports),
                host=host.strip("[]"),
                port=int(port),
                http="httptools",
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
            )
        )
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(guards.run(), name="guard")
            await tasks.create_task(server.serve(), name="endpoint")
            watching.cancel()

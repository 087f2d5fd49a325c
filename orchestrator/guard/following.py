"""How a process knows which models speak: from the guard, or without one by probes of its own."""

import httpx
import msgspec
import structlog

from lectern.triton import AsyncTriton
from orchestrator.guard.model_guard import ModelGuard
from orchestrator.guard.reports import ModelReports, Reports

PAUSE = 2.0  # seconds between two questions
SOON = 0.25  # the same while somebody waits for an answer, or a model is not ready
TIMEOUT = 3.0

log = structlog.stdlib.get_logger("lectern.guard")


async def follow_models(guard_url: str, triton: AsyncTriton, reports: Reports) -> None:
    """Keeps the reports up to date until cancelled. Without the address of a guard it probes, and recovers nothing."""
    if not guard_url:
        await ModelGuard(triton, reports, recovers=False).run()
        return
    async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT) as client:
        while True:
            await ask_guard(client, guard_url, reports)
            quiet = bool(reports.all()) and all(report.ready for report in reports.all().values())
            await reports.wait(lambda: reports.urgent, PAUSE if quiet else SOON)
            if reports.urgent:
                await reports.wait(lambda: False, SOON)


async def ask_guard(client: httpx.AsyncClient, guard_url: str, reports: Reports) -> None:
    """Asks once. A guard that does not answer is told, and the reports stay and age."""
    try:
        answer = await client.get(f"{guard_url}/readyz")
        found = msgspec.json.decode(answer.content, type=ModelReports)
    except (httpx.TransportError, msgspec.DecodeError) as error:
        trouble = f"the guard at {guard_url} does not answer ({type(error).__name__})"
        if not reports.trouble:
            log.warning("models are not guarded", reason=trouble)
        reports.trouble = trouble
        return
    reports.trouble = ""
    for model in reports.all().keys() - {report.model for report in found.models}:
        reports.forget(model)
    for report in found.models:
        reports.put(report)

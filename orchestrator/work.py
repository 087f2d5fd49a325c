"""What the worker does: the jobs of every domain, and the periodic work. The body is the table of contents."""

from functools import partial

from orchestrator.documents.jobs import cut
from orchestrator.documents.service import CUT
from orchestrator.jobs.dead_letters import delete_old
from orchestrator.jobs.worker import Worker
from orchestrator.runtime import Runtime

_HOUR = 3600.0


def make_worker(runtime: Runtime) -> Worker:
    settings = runtime.resources.settings
    worker = Worker(settings.worker)
    worker.add(CUT, cut)
    worker.every(_HOUR, "delete_old_jobs", partial(delete_old, settings.worker.keep_days))
    return worker

"""What the worker does: the jobs of every domain, and the periodic work. The body is the table of contents."""

from functools import partial

from orchestrator.billing.usage_meter import settle_written_down
from orchestrator.documents.jobs import cut
from orchestrator.documents.service import CUT
from orchestrator.jobs.dead_letters import delete_old
from orchestrator.jobs.worker import Worker
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.runtime import Runtime
from orchestrator.speech.cache.eviction import Eviction
from orchestrator.speech.cache.reconciliation import Reconciliation
from orchestrator.speech.previews import PREVIEW
from orchestrator.voices.custom.prompt_store import PromptCleanup

_HOUR = 3600.0
_SETTLE_SECONDS = 30.0  # until usage that was written down while the database was away is in the database


def make_worker(runtime: Runtime) -> Worker:
    resources, settings = runtime.resources, runtime.resources.settings
    worker = Worker(settings.worker)
    cutting = PriorityThreads(settings.worker.concurrency)
    resources.closing.callback(cutting.close)
    worker.add(CUT, partial(cut, threads=cutting))
    worker.add(PREVIEW, runtime.speech.previews.make)

    eviction = Eviction(resources.store, resources.leases, settings.cache)
    reconciliation = Reconciliation(resources.store, settings.cache)
    recordings = PromptCleanup(runtime.voices.prompts)
    reconcile_seconds = settings.cache.reconcile_seconds
    worker.every(settings.cache.check_seconds, "evict_audio", eviction.run)
    worker.every(reconcile_seconds, "reconcile_cache", reconciliation.run, at_start=True)
    worker.every(reconcile_seconds, "delete_orphaned_recordings", recordings.run, at_start=True)
    worker.every(_SETTLE_SECONDS, "settle_usage", partial(settle_written_down, resources.store), at_start=True)
    worker.every(_HOUR, "delete_old_jobs", partial(delete_old, settings.worker.keep_days))
    return worker

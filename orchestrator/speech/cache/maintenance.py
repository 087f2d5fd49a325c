"""The task that keeps the books of kept audio right and the store within its budget.

It runs in every web process, as these have the store open, know what is used and show metrics; a lease lets one of them
work at a time. That only saves work: nothing breaks where two do, as each segment that goes has a lease of its own.
"""

from typing import Final

import structlog

from orchestrator.lib import metrics
from orchestrator.lib.leases import Leases
from orchestrator.lib.periodic import run_periodically
from orchestrator.speech.cache.eviction import Eviction, total_bytes
from orchestrator.speech.cache.reconciliation import Reconciliation
from orchestrator.speech.settings import CacheSettings

_LEASE: Final = "cache_maintenance of kept audio"  # among segments' keys, none of which looks like this

log = structlog.stdlib.get_logger("lectern.kept")


class CacheMaintenance:
    def __init__(
        self, leases: Leases, reconciliation: Reconciliation, eviction: Eviction, settings: CacheSettings
    ) -> None:
        self._leases = leases
        self._reconciliation = reconciliation
        self._eviction = eviction
        self._settings = settings

    async def keep_within_budget(self) -> None:
        """Runs for as long as the process serves."""
        complaint = "kept audio could not be looked after"
        await run_periodically(self.look, pause=self._settings.check_seconds, complaint=complaint, log=log)

    async def look(self) -> None:
        """One round of work, unless another process is at it."""
        async with self._leases.take([_LEASE]) as ours:
            if ours:
                await self._reconciliation.step()
                await self._eviction.run()
                return
        metrics.CACHE_BYTES.set(await total_bytes())

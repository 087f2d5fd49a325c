"""The loop that keeps the cache's index true and the cache within its budget.

Every web process runs it, as these have the store open, know what is used and show metrics. A lease lets one of them
work at a time, which only saves work: each segment that is evicted has a lease of its own.
"""

from typing import Final

import structlog

from orchestrator.lib import metrics
from orchestrator.lib.leases import Leases
from orchestrator.lib.periodic import run_periodically
from orchestrator.speech.cache.eviction import Eviction, total_bytes
from orchestrator.speech.cache.reconciliation import Reconciliation
from orchestrator.speech.settings import CacheSettings

_LEASE: Final = "cache maintenance"  # no segment's key looks like this

log = structlog.stdlib.get_logger("lectern.cache")


class CacheMaintenance:
    def __init__(
        self, leases: Leases, reconciliation: Reconciliation, eviction: Eviction, settings: CacheSettings
    ) -> None:
        self._leases = leases
        self._reconciliation = reconciliation
        self._eviction = eviction
        self._settings = settings

    async def keep_within_budget(self) -> None:
        """Runs until it is cancelled."""
        complaint = "the cache could not be checked"
        await run_periodically(self.check, pause=self._settings.check_seconds, complaint=complaint, log=log)

    async def check(self) -> None:
        """Does one round of work, unless another process is at it."""
        async with self._leases.take([_LEASE]) as ours:
            if ours:
                await self._reconciliation.step()
                await self._eviction.run()
                return
        metrics.CACHE_BYTES.set(await total_bytes())

"""Deletes recordings that no voice is made of: a process died while it kept or deleted one, or an account is gone.

People's voices must not lie about. Any number of processes may do this at once.
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from orchestrator.lib.database import run
from orchestrator.lib.periodic import run_periodically
from orchestrator.speech.settings import CacheSettings
from orchestrator.voices.custom.prompts import Prompts

_SETTLED: Final = timedelta(hours=1)  # in which whoever wrote a recording has kept its voice, or never will
_KNOWN: Final = "SELECT id FROM voice WHERE id = ANY({}::uuid[])"

log = structlog.stdlib.get_logger("lectern.voices")


class OrphanCleanup:
    def __init__(self, prompts: Prompts, settings: CacheSettings) -> None:
        self._prompts = prompts
        self._settings = settings

    async def keep_tidy(self) -> None:
        """Runs for as long as the process serves."""
        complaint = "recordings could not be looked through"
        await run_periodically(self.tidy, pause=self._settings.reconcile_seconds, complaint=complaint, log=log)

    async def tidy(self) -> list[UUID]:
        """Returns the ids whose recordings went. Raises `StoreFailed`."""
        before = datetime.now(UTC) - _SETTLED
        settled = [voice for voice, written_at in (await self._prompts.listed()).items() if written_at < before]
        known = {row["id"] for row in await run(_KNOWN, settled)}
        stray = [voice for voice in settled if voice not in known]
        for voice in stray:
            await self._prompts.delete(voice)
        if stray:
            log.warning("recordings without a voice deleted", recordings=len(stray))
        return stray

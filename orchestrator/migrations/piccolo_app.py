"""Every table of every domain, so that one history of migrations covers them all."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from orchestrator.accounts.tables import Account, ApiKey
from orchestrator.billing.tables import Usage
from orchestrator.documents.tables import Block, Document
from orchestrator.jobs.tables import Job
from orchestrator.lib.tables import Lease
from orchestrator.playback.tables import ListeningPosition
from orchestrator.speech.cache.tables import CachedSegment, CachePin
from orchestrator.voices.custom.tables import CustomVoice, VoiceConsent

APP_CONFIG = AppConfig(
    app_name="lectern",
    migrations_folder_path=str(Path(__file__).parent / "versions"),
    table_classes=[
        Account,
        ApiKey,
        Job,
        Document,
        Block,
        Lease,
        Usage,
        CachedSegment,
        CachePin,
        ListeningPosition,
        CustomVoice,
        VoiceConsent,
    ],
)

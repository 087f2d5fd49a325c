"""All settings of the server processes, read from the environment once at start. Each domain has its own."""

import os
from collections.abc import Mapping
from typing import Final

import msgspec

from orchestrator.billing.settings import BillingSettings
from orchestrator.documents.settings import DocumentSettings
from orchestrator.health.settings import HealthSettings
from orchestrator.jobs.settings import WorkerSettings
from orchestrator.lib.environment import SettingsError, read
from orchestrator.lib.settings import DatabaseSettings, LogSettings, ServerSettings, StoreSettings, TritonSettings
from orchestrator.playback.settings import PlaybackSettings
from orchestrator.speech.settings import (
    AdmissionSettings,
    CacheSettings,
    DeliverySettings,
    SpeechSettings,
)
from orchestrator.voices.settings import VoiceSettings


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    server: ServerSettings
    log: LogSettings
    database: DatabaseSettings
    store: StoreSettings
    cache: CacheSettings
    delivery: DeliverySettings
    triton: TritonSettings
    speech: SpeechSettings
    admission: AdmissionSettings
    billing: BillingSettings
    documents: DocumentSettings
    playback: PlaybackSettings
    voices: VoiceSettings
    health: HealthSettings
    worker: WorkerSettings


_SIGNING: Final = (
    "s3",
    "s3a",
    "gs",
    "az",
    "azure",
    "adl",
    "abfs",
    "abfss",
)  # stores that sign addresses


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Raises `SettingsError` with one line that names the variable and what is wrong with it."""
    settings = Settings(**{field.name: read(field.type, environment) for field in msgspec.structs.fields(Settings)})
    _check_delivery(settings)
    return settings


def _check_delivery(settings: Settings) -> None:
    way, scheme = settings.delivery.way, settings.store.url.partition(":")[0]
    if way == "x-accel" and scheme != "file":
        raise SettingsError("LECTERN_AUDIO_DELIVERY cannot be x-accel unless STORE_URL is a folder, file:///…")
    if way == "redirect" and scheme not in _SIGNING:
        raise SettingsError("LECTERN_AUDIO_DELIVERY cannot be redirect unless STORE_URL is an object store, s3://…")
    if way == "redirect" and settings.cache.grace_seconds <= settings.delivery.link_seconds:
        raise SettingsError("LECTERN_CACHE_GRACE must be greater than LECTERN_LINK_SECONDS, or links would break.")

"""The objects that live as long as the web process: connections, catalogue, planner, synthesizer, and their tasks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import msgspec
import structlog

from lectern.triton import AsyncTriton
from orchestrator.billing.prices import Prices
from orchestrator.health.probes import Probes
from orchestrator.lib import database
from orchestrator.lib.leases import Leases
from orchestrator.lib.object_store import Store
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.lib.pubsub import PubSub
from orchestrator.playback.player import OpenPlaybacks, Player
from orchestrator.playback.position_updates import PositionUpdates
from orchestrator.settings import Settings
from orchestrator.speech.admission.admission_controller import AdmissionController
from orchestrator.speech.cache.audio_cache import AudioCache
from orchestrator.speech.cache.eviction import Eviction
from orchestrator.speech.cache.index import CacheIndex
from orchestrator.speech.cache.maintenance import CacheMaintenance
from orchestrator.speech.cache.reconciliation import Reconciliation
from orchestrator.speech.planner.planner import Planner
from orchestrator.speech.previews import VoicePreviews
from orchestrator.speech.response.delivery import Delivery
from orchestrator.speech.service import SpeechService
from orchestrator.speech.synthesis.synthesizer import Synthesizer
from orchestrator.text.sentences import load_pipeline
from orchestrator.voices.catalog import Catalog
from orchestrator.voices.custom.lookup import CustomVoiceLookup
from orchestrator.voices.custom.prompt_store import PromptCleanup, PromptStore
from orchestrator.voices.custom.service import CustomVoices
from orchestrator.voices.custom.uploads import Uploads

_UPLOAD_THREADS: Final = 1  # apart from the encoder's, so that no listener waits for the examination of an upload

log = structlog.stdlib.get_logger("lectern.services")


class Services(msgspec.Struct, frozen=True, kw_only=True):
    store: Store
    catalog: Catalog
    probes: Probes
    planner: Planner
    speech: SpeechService
    delivery: Delivery
    previews: VoicePreviews
    player: Player
    position_updates: PositionUpdates
    voices: CustomVoices


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Services]:
    """Opens everything in the order of need, and closes it in reverse."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(database.pool(settings.database))
        client = await stack.enter_async_context(
            AsyncTriton(settings.triton.address, secret=settings.triton.secret.reveal())
        )
        threads = PriorityThreads(settings.speech.encoder_threads)
        stack.callback(threads.close)
        store = Store(settings.store.url)
        catalog = Catalog(client)
        cache_index = CacheIndex()
        audio_cache = AudioCache(store, threads, cache_index)
        leases = Leases()
        probes = Probes(client, catalog, settings.health)
        slots = settings.admission.slots_by_model()
        admission = AdmissionController(
            settings.admission,
            deadline=settings.speech.deadline_seconds,
            slots=lambda model: slots.get(model) or catalog.slots(model),
            encoder=threads,
        )
        synthesizer = Synthesizer(client, audio_cache, leases, admission, on_audio=probes.heard)
        stack.push_async_callback(synthesizer.close)
        prompts = PromptStore(store, threads, settings.voices.memory_bytes)
        custom_voices = CustomVoiceLookup(catalog, prompts, settings.speech.default_model)
        planner = Planner(catalog, custom_voices, threads, settings.speech)
        speech = SpeechService(
            synthesizer=synthesizer,
            admission=admission,
            cache=audio_cache,
            threads=threads,
            prices=Prices.read(settings.billing),
            settings=settings.speech,
        )
        previews = VoicePreviews(planner, speech)
        stack.push_async_callback(previews.close)
        upload_threads = PriorityThreads(_UPLOAD_THREADS)
        stack.callback(upload_threads.close)
        voices = CustomVoices(
            catalog,
            prompts,
            Uploads(upload_threads, settings.voices),
            settings.voices,
            default_model=settings.speech.default_model,
            on_created=previews.make_soon,
            on_deleted=previews.forget,
        )
        open_playbacks = OpenPlaybacks(settings.playback)
        player = Player(
            planner, speech, open_playbacks, settings.playback, max_syntheses=settings.speech.segments_ahead + 1
        )
        pubsub = PubSub(settings.database)
        position_updates = PositionUpdates(pubsub, open_playbacks)
        cache_maintenance = CacheMaintenance(
            leases, Reconciliation(store, settings.cache), Eviction(store, leases, settings.cache), settings.cache
        )
        work = (
            leases.keep_renewing(),
            catalog.keep_fresh(),
            probes.keep_probing(),
            cache_index.keep_flushing(),
            cache_maintenance.keep_within_budget(),
            pubsub.keep_listening(),
            PromptCleanup(prompts, settings.cache.reconcile_seconds).keep_cleaning(),
            _load_sentences(threads),
        )
        tasks = [asyncio.create_task(one) for one in work]
        try:
            yield Services(
                store=store,
                catalog=catalog,
                probes=probes,
                planner=planner,
                speech=speech,
                delivery=Delivery(store, audio_cache, settings.delivery, settings.cache),
                previews=previews,
                player=player,
                position_updates=position_updates,
                voices=voices,
            )
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _load_sentences(threads: PriorityThreads) -> None:
    """Loads spaCy's pipeline, which the first request would wait for."""
    try:
        await threads.run(load_pipeline, "en")
    except Exception:  # each request will fail by it too
        log.exception("the pipeline for sentences cannot be loaded")

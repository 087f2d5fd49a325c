"""What lives as long as the web process: the connections, the catalogue of voices, the synthesizer, their tasks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import msgspec
import structlog

from lectern.triton import AsyncTriton
from orchestrator.billing.prices import Prices
from orchestrator.documents.text.sentences import load_pipeline
from orchestrator.health.proofs import Proofs
from orchestrator.lib import database
from orchestrator.lib.notices import Notices
from orchestrator.lib.store import Store
from orchestrator.playback.listeners import Listeners
from orchestrator.playback.moves import Moves
from orchestrator.playback.player import Player
from orchestrator.settings import Settings
from orchestrator.speech.delivery import Delivery
from orchestrator.speech.kept.adoption import Adoption
from orchestrator.speech.kept.eviction import Eviction
from orchestrator.speech.kept.inventory import Inventory
from orchestrator.speech.kept.retention import Retention
from orchestrator.speech.kept.variants import Variants
from orchestrator.speech.making.gate import Gate
from orchestrator.speech.making.leases import Leases
from orchestrator.speech.making.synthesizer import Synthesizer
from orchestrator.speech.previews import PreviewMaker
from orchestrator.speech.service import Speech
from orchestrator.speech.threads import EncoderThreads
from orchestrator.voices.catalog import Catalog
from orchestrator.voices.own.finding import OwnVoices
from orchestrator.voices.own.prompts import Prompts
from orchestrator.voices.own.service import Voices
from orchestrator.voices.own.tidying import Tidying
from orchestrator.voices.own.uploads import Uploads

_LOOKING_THREADS: Final = 1  # that look at recordings people send, so that no listener waits for one

log = structlog.stdlib.get_logger("lectern.services")


class Services(msgspec.Struct, frozen=True, kw_only=True):
    store: Store
    catalog: Catalog
    proofs: Proofs
    speech: Speech
    delivery: Delivery
    previews: PreviewMaker
    player: Player
    moves: Moves
    voices: Voices


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Services]:
    """Opens everything in the order it is needed, and closes it in the other."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(database.pool(settings.database))
        client = await stack.enter_async_context(
            AsyncTriton(settings.triton.address, secret=settings.triton.secret.reveal())
        )
        threads = EncoderThreads(settings.speech.encoder_threads)
        stack.callback(threads.close)
        store = Store(settings.store.url)
        catalog = Catalog(client)
        inventory = Inventory()
        variants = Variants(store, threads, inventory)
        leases = Leases()
        proofs = Proofs(client, catalog, settings.health)
        gate = Gate(
            settings.admission,
            deadline=settings.speech.deadline_seconds,
            places=lambda model: settings.admission.places_of(model) or catalog.places(model),
            encoder=threads,
        )
        synthesizer = Synthesizer(client, variants, leases, gate, on_audio=proofs.heard)
        stack.push_async_callback(synthesizer.close)
        prompts = Prompts(store, threads, settings.voices.memory_bytes)
        speech = Speech(
            catalog=catalog,
            own_voices=OwnVoices(catalog, prompts, settings.speech.default_model),
            synthesizer=synthesizer,
            gate=gate,
            variants=variants,
            threads=threads,
            prices=Prices.read(settings.billing),
            settings=settings.speech,
        )
        previews = PreviewMaker(speech)
        stack.push_async_callback(previews.close)
        looking = EncoderThreads(_LOOKING_THREADS)
        stack.callback(looking.close)
        voices = Voices(
            catalog,
            prompts,
            Uploads(looking, settings.voices),
            settings.voices,
            default_model=settings.speech.default_model,
            on_made=previews.begin,
            on_gone=previews.forget,
        )
        listeners = Listeners(settings.playback)
        player = Player(speech, listeners, settings.playback, at_once=settings.speech.segments_ahead + 1)
        notices = Notices(settings.database)
        moves = Moves(notices, listeners)
        retention = Retention(
            leases, Adoption(store, settings.kept), Eviction(store, leases, settings.kept), settings.kept
        )
        work = (
            leases.keep_renewing(),
            catalog.keep_fresh(),
            proofs.keep_proving(),
            inventory.keep_flushing(),
            retention.keep_within_budget(),
            notices.keep_listening(),
            Tidying(prompts, settings.kept).keep_tidy(),
            _load_sentences(threads),
        )
        tasks = [asyncio.create_task(one) for one in work]
        try:
            yield Services(
                store=store,
                catalog=catalog,
                proofs=proofs,
                speech=speech,
                delivery=Delivery(store, variants, settings.delivery, settings.kept),
                previews=previews,
                player=player,
                moves=moves,
                voices=voices,
            )
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _load_sentences(threads: EncoderThreads) -> None:
    """Else the first request would wait for all of it; one that comes meanwhile waits for the rest."""
    try:
        await threads.run(load_pipeline, "en")
    except Exception:  # each request will say so too
        log.exception("sentences cannot be told apart")

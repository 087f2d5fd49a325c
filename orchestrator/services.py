"""What lives as long as the web process: the connections, the catalogue of voices, the synthesizer, their tasks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from lectern.triton import AsyncTriton
from orchestrator.documents.text.sentences import load_pipeline
from orchestrator.health.proofs import Proofs
from orchestrator.lib import database
from orchestrator.lib.store import Store
from orchestrator.settings import Settings
from orchestrator.speech.leases import Leases
from orchestrator.speech.service import Speech
from orchestrator.speech.synthesizer import Synthesizer
from orchestrator.speech.threads import EncoderThreads
from orchestrator.speech.variants import Variants
from orchestrator.voices.catalog import Catalog


class Services(msgspec.Struct, frozen=True, kw_only=True):
    store: Store
    catalog: Catalog
    proofs: Proofs
    speech: Speech


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Services]:
    """Opens everything in the order it is needed, and closes it in the other."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(database.pool(settings.database))
        client = await stack.enter_async_context(AsyncTriton(settings.triton.address))
        threads = EncoderThreads(settings.speech.encoder_threads)
        stack.callback(threads.close)
        await threads.run(load_pipeline, "en")  # else the first request would wait for it
        store = Store(settings.store.url)
        catalog = Catalog(client)
        variants = Variants(store, threads)
        leases = Leases()
        proofs = Proofs(client, catalog, settings.health)
        synthesizer = Synthesizer(
            client, variants, leases, deadline=settings.speech.deadline_seconds, on_audio=proofs.heard
        )
        stack.push_async_callback(synthesizer.close)
        speech = Speech(
            catalog=catalog, synthesizer=synthesizer, variants=variants, threads=threads, settings=settings.speech
        )
        work = (leases.keep_renewing(), catalog.keep_fresh(), proofs.keep_proving())
        tasks = [asyncio.create_task(one) for one in work]
        try:
            yield Services(store=store, catalog=catalog, proofs=proofs, speech=speech)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

"""What every process opens first: the database, Triton, the store, threads, and the background loops around them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from lectern.triton import AsyncTriton
from orchestrator.guard.following import follow_models
from orchestrator.guard.reports import Reports
from orchestrator.lib import database
from orchestrator.lib.background import Background, background_loops
from orchestrator.lib.leases import Leases
from orchestrator.lib.object_store import Store
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.lib.pubsub import PubSub
from orchestrator.lib.sandbox.sandbox import Sandbox
from orchestrator.settings import Settings
from orchestrator.voices.custom.recording_validation import validate_upload


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    settings: Settings
    triton: AsyncTriton
    store: Store
    threads: PriorityThreads
    """Encode and decode audio, and cut text."""
    sandbox: Sandbox
    """Reads untrusted files."""
    leases: Leases
    pubsub: PubSub
    models: Reports
    """What the last probes of the models found."""
    background: Background
    closing: AsyncExitStack
    """What is pushed here is closed before the connections."""


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Opens everything in the order of need, and closes it in reverse."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(database.pool(settings.database))
        triton = AsyncTriton(settings.triton.address, secret=settings.triton.secret.reveal())
        await stack.enter_async_context(triton)
        threads = PriorityThreads(settings.speech.encoder_threads)
        stack.callback(threads.close)
        sandbox = await stack.enter_async_context(Sandbox(validate_upload))
        background = await stack.enter_async_context(background_loops())
        closing = await stack.enter_async_context(AsyncExitStack())
        leases = Leases()
        background.run("renew leases", leases.keep_renewing())
        models = Reports()
        background.run("follow the models", follow_models(settings.health.guard_url, triton, models))
        pubsub = PubSub(settings.database)
        yield Resources(
            settings=settings,
            triton=triton,
            store=Store(settings.store.url),
            threads=threads,
            sandbox=sandbox,
            leases=leases,
            pubsub=pubsub,
            models=models,
            background=background,
            closing=closing,
        )

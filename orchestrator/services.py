"""What the routes of the web process may ask for by name."""

import msgspec
import structlog

from orchestrator.health.readiness import Readiness
from orchestrator.jobs.dead_letters import show_number
from orchestrator.jobs.events import JobEvents
from orchestrator.lib.object_store import Store
from orchestrator.lib.periodic import run_periodically
from orchestrator.playback.player import OpenPlaybacks, Player
from orchestrator.playback.position_updates import PositionUpdates
from orchestrator.runtime import Runtime
from orchestrator.speech.cache.eviction import show_size
from orchestrator.speech.planner.planner import Planner
from orchestrator.speech.previews import VoicePreviews
from orchestrator.speech.response.delivery import Delivery
from orchestrator.speech.service import SpeechService
from orchestrator.voices.catalog import Catalog
from orchestrator.voices.custom.service import CustomVoices
from orchestrator.voices.custom.uploads import Uploads

log = structlog.stdlib.get_logger("lectern.process")


class Services(msgspec.Struct, frozen=True, kw_only=True):
    store: Store
    catalog: Catalog
    readiness: Readiness
    planner: Planner
    speech: SpeechService
    delivery: Delivery
    previews: VoicePreviews
    player: Player
    position_updates: PositionUpdates
    voices: CustomVoices
    job_events: JobEvents


def open_services(runtime: Runtime) -> Services:
    """Adds to the runtime what only the web process does: uploads, delivery, playback, readiness."""
    resources, speech, voices = runtime.resources, runtime.speech, runtime.voices
    settings, background = resources.settings, resources.background
    custom_voices = CustomVoices(
        voices.catalog,
        voices.prompts,
        Uploads(resources.sandbox, settings.voices),
        settings.voices,
        default_model=settings.speech.default_model,
        on_created=speech.previews.make_soon,
        on_deleted=speech.previews.forget,
    )
    background.run_once("start the sandbox", resources.sandbox.start())
    open_playbacks = OpenPlaybacks(settings.playback)
    max_syntheses = settings.speech.segments_ahead + 1
    player = Player(speech.planner, speech.service, open_playbacks, settings.playback, max_syntheses=max_syntheses)
    position_updates = PositionUpdates(resources.pubsub, open_playbacks)
    job_events = JobEvents(resources.pubsub)
    background.run("read the metrics of cache and jobs", _keep_metrics(settings.cache.check_seconds))
    background.run("listen to other processes", resources.pubsub.keep_listening())  # its subscribers are known by now
    return Services(
        store=resources.store,
        catalog=voices.catalog,
        readiness=Readiness(resources.store, voices.catalog, resources.models, settings.health),
        planner=speech.planner,
        speech=speech.service,
        delivery=Delivery(resources.store, speech.cache, settings.delivery, settings.cache),
        previews=speech.previews,
        player=player,
        position_updates=position_updates,
        voices=custom_voices,
        job_events=job_events,
    )


async def _keep_metrics(pause: float) -> None:
    """Shows what the workers do to the database, which whoever watches this server asks here."""

    async def read() -> None:
        await show_size()
        await show_number()

    await run_periodically(read, pause=pause, complaint="cache and jobs could not be counted", log=log)

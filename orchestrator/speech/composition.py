"""Makes the objects of speech: cache, admission, synthesizer, planner, service."""

import msgspec

from orchestrator.billing.prices import Prices
from orchestrator.billing.usage_meter import UsageMeter
from orchestrator.resources import Resources
from orchestrator.speech.admission.admission_controller import AdmissionController
from orchestrator.speech.cache.audio_cache import AudioCache
from orchestrator.speech.cache.index import CacheIndex
from orchestrator.speech.planner.planner import Planner
from orchestrator.speech.previews import VoicePreviews
from orchestrator.speech.service import SpeechService
from orchestrator.speech.synthesis.synthesizer import Synthesizer
from orchestrator.voices.composition import Voices


class Speech(msgspec.Struct, frozen=True, kw_only=True):
    cache: AudioCache
    planner: Planner
    service: SpeechService
    previews: VoicePreviews


def open_speech(resources: Resources, voices: Voices) -> Speech:
    settings, threads = resources.settings, resources.threads
    index = CacheIndex()
    resources.background.run("flush the cache's index", index.keep_flushing())
    cache = AudioCache(resources.store, threads, index)
    slots = settings.admission.slots_by_model()
    admission = AdmissionController(
        settings.admission,
        deadline=settings.speech.deadline_seconds,
        slots=lambda model: slots.get(model) or voices.catalog.slots(model),
        encoder=threads,
    )
    meter = UsageMeter(resources.store)
    resources.background.run("write usage", meter.keep_flushing())
    synthesizer = Synthesizer(resources.triton, cache, resources.leases, admission, meter, resources.models)
    resources.closing.push_async_callback(synthesizer.close)
    planner = Planner(voices.catalog, voices.custom, threads, settings.speech)
    service = SpeechService(
        synthesizer=synthesizer,
        admission=admission,
        cache=cache,
        threads=threads,
        prices=Prices.read(settings.billing),
        settings=settings.speech,
    )
    return Speech(cache=cache, planner=planner, service=service, previews=VoicePreviews(planner, service))

"""What the web process and the worker have in common: connections, voices and speech, in the order of need."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import structlog

from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.resources import Resources, open_resources
from orchestrator.settings import Settings
from orchestrator.speech.composition import Speech, open_speech
from orchestrator.text.sentences import load_pipeline
from orchestrator.voices.composition import Voices, open_voices

log = structlog.stdlib.get_logger("lectern.process")


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    resources: Resources
    voices: Voices
    speech: Speech


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    async with open_resources(settings) as resources:
        voices = open_voices(resources)
        speech = open_speech(resources, voices)
        resources.background.run_once("load the sentences", _load_sentences(resources.threads))
        yield Runtime(resources=resources, voices=voices, speech=speech)


async def _load_sentences(threads: PriorityThreads) -> None:
    """Loads spaCy's pipeline, which the first request would wait for."""
    try:
        await threads.run(load_pipeline, "en")
    except Exception:  # each request will fail by it too
        log.exception("the pipeline for sentences cannot be loaded")

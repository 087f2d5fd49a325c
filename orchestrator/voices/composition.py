"""Makes the objects of the voices."""

import msgspec

from orchestrator.resources import Resources
from orchestrator.voices.catalog import Catalog
from orchestrator.voices.custom.lookup import CustomVoiceLookup
from orchestrator.voices.custom.prompt_store import PromptStore


class Voices(msgspec.Struct, frozen=True, kw_only=True):
    catalog: Catalog
    prompts: PromptStore
    custom: CustomVoiceLookup


def open_voices(resources: Resources) -> Voices:
    settings = resources.settings
    catalog = Catalog(resources.triton, resources.models)
    resources.background.run("refresh the catalog", catalog.keep_fresh())
    prompts = PromptStore(resources.store, resources.threads, settings.voices.memory_bytes)
    custom = CustomVoiceLookup(catalog, prompts, settings.speech.default_model)
    return Voices(catalog=catalog, prompts=prompts, custom=custom)

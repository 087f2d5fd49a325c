"""Validates the fields of a custom voice, its model, name and texts, and collects everything that is wrong."""

from collections.abc import Callable

from lectern_contract.voice_mixes import NoMix, parse, spelled
from orchestrator.lib.errors.problems import BadRequest, FieldErrors, Unavailable, bad_field
from orchestrator.lib.text_input import check_language, check_text
from orchestrator.text.estimate import estimate_seconds, has_words
from orchestrator.voices.catalog import Catalog
from orchestrator.voices.custom.tables import CustomVoice
from orchestrator.voices.names import OPENAI_VOICES, normalize_spaces, slug_of
from orchestrator.voices.schemas import CustomVoiceView
from orchestrator.voices.settings import VoiceSettings
from orchestrator.voices.voice import ModelVoices, Voice


class FieldValidator:
    """The methods with ``problems`` add to it what is wrong; the others raise."""

    def __init__(self, catalog: Catalog, limits: VoiceSettings, default_model: str) -> None:
        self._catalog = catalog
        self._limits = limits
        self._default_model = default_model

    async def model(
        self, wanted: str | None, what: str, takes: Callable[[ModelVoices], bool]
    ) -> tuple[str, ModelVoices]:
        """Returns the wanted model, or one that takes ``what``. Raises `BadRequest` or `Unavailable`."""
        model = wanted or await self._catalog.find_model(takes, self._default_model)
        if model is None:
            raise Unavailable(f"No model that takes {what} is ready at the moment.", retry_after=30)
        found = await self._catalog.model(model)
        if not takes(found):
            raise bad_field("model", f"'{model}' takes no {what}: leave it out, or name one that does")
        return model, found

    async def name(self, given: str, problems: FieldErrors) -> tuple[str, str]:
        """Returns the name and its slug."""
        name, slug = normalize_spaces(given), ""
        with problems.collect("name"):
            check_text(name, field="name", limit=self._limits.max_name)
            slug = slug_of(name)
            taken = [voice.model for voice in await self._catalog.with_names(name, slug)]
            if taken or OPENAI_VOICES & {name, slug}:
                whose = f"the model '{taken[0]}'" if taken else "OpenAI"
                raise BadRequest(f"becomes '{slug}', the name of a voice of {whose}. Choose another.")
        return name, slug

    def texts(self, problems: FieldErrors, *, description: str, language: str | None) -> None:
        if description:
            with problems.collect("description"):
                check_text(description, field="description", limit=self._limits.max_description)
        if language is not None:
            with problems.collect("language"):
                check_language(language)

    async def transcript(self, current: CustomVoiceView, transcript: str, problems: FieldErrors) -> None:
        if current.prompt is None:
            problems.add("transcript", "is for prompts only, and this voice is a mix. Leave it out")
            return
        with problems.collect("transcript"):
            check_text(transcript, field="transcript", limit=self._limits.max_transcript)
            row = await CustomVoice.select(CustomVoice.spoken_seconds).where(CustomVoice.id == current.id).first()
            problem = transcript_problem(transcript, row["spoken_seconds"], self._limits) if row else None
            if problem is not None:
                raise BadRequest(problem)

    async def mix(self, model: str, mix: dict[str, float]) -> Voice:
        """Raises `BadRequest`."""
        if not mix:
            raise BadRequest("is empty. Name voices and their weights.")
        try:
            parse(spelled(mix))
        except NoMix as error:
            raise BadRequest(f"cannot be mixed: {error}.") from None
        return await self._catalog.find(model=model, voice=spelled(mix))


def transcript_problem(transcript: str, spoken_seconds: float, limits: VoiceSettings) -> str | None:
    """Returns why the transcript cannot be what is said in this time, or None; it continues the field's name."""
    if not has_words(transcript):
        return "has no words. Write down what is said in the audio."
    usual = estimate_seconds(transcript)
    if usual * limits.pace < spoken_seconds:
        return (
            f"is short for {spoken_seconds:.1f} seconds of speech: it would usually be said in {usual:.1f}."
            " Write down all that is said in the audio."
        )
    if usual > spoken_seconds * limits.pace:
        return (
            f"is long for {spoken_seconds:.1f} seconds of speech: it would usually take {usual:.1f}."
            " Write down only what is said in the audio."
        )
    return None

"""What is asked of a voice of one's own: its model, its name and its texts, each checked, with all that is wrong."""

from collections.abc import Callable

from orchestrator.lib.errors.collector import FieldErrors
from orchestrator.lib.errors.problems import BadRequest, Unavailable, bad_field
from orchestrator.lib.text_input import check_language, check_text
from orchestrator.voices.catalog import Catalog, Offer, Voice
from orchestrator.voices.custom.examination import transcript_problem
from orchestrator.voices.custom.names import slug_of, tidy
from orchestrator.voices.custom.schemas import CustomVoiceView
from orchestrator.voices.custom.tables import CustomVoice
from orchestrator.voices.mixes import NoMix, parse, spelled
from orchestrator.voices.openai_names import OPENAI_VOICES
from orchestrator.voices.settings import VoiceSettings


class Checks:
    def __init__(self, catalog: Catalog, limits: VoiceSettings, default_model: str) -> None:
        self._catalog = catalog
        self._limits = limits
        self._default_model = default_model

    async def offer(self, asked: str | None, what: str, takes: Callable[[Offer], bool]) -> tuple[str, Offer]:
        model = asked or await self._catalog.model_that(takes, self._default_model)
        if model is None:
            raise Unavailable(f"No model that takes {what} is ready at the moment.", retry_after=30)
        offer = await self._catalog.offer(model)
        if not takes(offer):
            raise bad_field("model", f"'{model}' takes no {what}: leave it out, or name one that does")
        return model, offer

    async def name(self, given: str, problems: FieldErrors) -> tuple[str, str]:
        """The name and its slug."""
        name, slug = tidy(given), ""
        with problems.of("name"):
            check_text(name, field="name", limit=self._limits.max_name)
            slug = slug_of(name)
            taken = [voice.model for voice in await self._catalog.namesakes(name, slug)]
            if taken or OPENAI_VOICES & {name, slug}:
                whose = f"the model '{taken[0]}'" if taken else "OpenAI"
                raise BadRequest(f"becomes '{slug}', as a voice of {whose} is called. Choose another.")
        return name, slug

    def texts(self, problems: FieldErrors, *, description: str, language: str | None) -> None:
        if description:
            with problems.of("description"):
                check_text(description, field="description", limit=self._limits.max_description)
        if language is not None:
            with problems.of("language"):
                check_language(language)

    async def transcript(self, current: CustomVoiceView, transcript: str, problems: FieldErrors) -> None:
        if current.prompt is None:
            problems.add("transcript", "is of prompts only, and this voice is a mix. Leave it out")
            return
        with problems.of("transcript"):
            check_text(transcript, field="transcript", limit=self._limits.max_transcript)
            row = await CustomVoice.select(CustomVoice.spoken_seconds).where(CustomVoice.id == current.id).first()
            problem = transcript_problem(transcript, row["spoken_seconds"], self._limits) if row else None
            if problem is not None:
                raise BadRequest(problem)

    async def mixed(self, model: str, mix: dict[str, float]) -> Voice:
        """Raises `BadRequest`."""
        if not mix:
            raise BadRequest("is empty. Name voices and their weights.")
        try:
            parse(spelled(mix))
        except NoMix as error:
            raise BadRequest(f"cannot be mixed: {error}.") from None
        return await self._catalog.find(model=model, voice=spelled(mix))

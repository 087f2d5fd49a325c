"""From the fields of a request to the script that they ask for."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from orchestrator.lib.errors.collector import FieldErrors
from orchestrator.lib.errors.problems import TooLarge, bad_field
from orchestrator.lib.text_input import check_language, check_text
from orchestrator.speech.planner.dialogue import lines
from orchestrator.speech.planner.script import Script, Utterance
from orchestrator.speech.planner.timeline import Origin
from orchestrator.speech.planner.voicing import Manner
from orchestrator.speech.schemas import Spoken, Turn, VoiceReference
from orchestrator.speech.service import Speech
from orchestrator.voices.mixes import spelled


async def passage_of(speech: Speech, account: UUID, asked: Spoken) -> Script:
    """Raises `BadRequest`, `TooLarge`, `NotFound` or `Unavailable`."""
    _check_neutral(asked)
    manners = _Manners(speech, account, asked)
    if asked.turns is not None:
        return await speech.plan_utterances(await _of_turns(speech, asked, asked.turns, manners))
    if not asked.input:
        raise bad_field("input", "is missing or empty. Send the text to speak, or 'turns'")
    check_text(asked.input, field="input", limit=speech.limits.max_input)
    if asked.dialogue:
        return await speech.plan_utterances(await _of_lines(speech, asked.input, manners))
    whole = Utterance(text=asked.input, manner=await manners.find(), origin=Origin(text=asked.input))
    return await speech.plan_utterances([whole])


async def _of_turns(speech: Speech, asked: Spoken, turns: Sequence[Turn], manners: "_Manners") -> list[Utterance]:
    limits = speech.limits
    if (asked.input or "").strip():
        raise bad_field("input", "and 'turns' exclude each other; send one of them")
    if not turns:
        raise bad_field("turns", "is empty; send some")
    _check_count(len(turns), limits.max_turns)
    characters = sum(len(turn.text) for turn in turns)
    if characters > limits.max_input:
        raise TooLarge(f"'turns' have {characters:,} characters; at most {limits.max_input:,} are accepted.")
    utterances = []
    for number, turn in enumerate(turns):
        check_text(turn.text, field=f"turns[{number}].text", limit=limits.max_input)
        pause = turn.pause or 0.0
        if pause > limits.max_pause:
            raise bad_field(
                f"turns[{number}].pause", f"is longer than the {limits.max_pause:g} seconds that are accepted"
            )
        manner = await manners.find(turn.voice, turn.speed, turn.language)
        origin = Origin(text=turn.text, turn=number)
        utterances.append(Utterance(text=turn.text, manner=manner, origin=origin, silence=pause))
    return utterances


async def _of_lines(speech: Speech, text: str, manners: "_Manners") -> list[Utterance]:
    found = list(lines(text, longest_pause=speech.limits.max_pause))
    _check_count(len(found), speech.limits.max_turns)
    if not found:
        raise bad_field("input", "has marks and nothing that they are about. Write what is to be said behind them")
    return [
        Utterance(
            text=line.text,
            manner=await manners.find(line.voice),
            origin=Origin(text=text, start=line.start, end=line.start + len(line.text)),
            silence=line.silence,
        )
        for line in found
    ]


class _Manners:
    """Finds each voice of a request once, however many turns it has."""

    def __init__(self, speech: Speech, account: UUID, asked: Spoken) -> None:
        self._speech = speech
        self._account = account
        self._asked = asked
        self._found: dict[tuple[str | None, float, str | None], Manner] = {}

    async def find(
        self, voice: str | VoiceReference | None = None, speed: float | None = None, language: str | None = None
    ) -> Manner:
        """What is left out is as in the request."""
        asked = self._asked
        wanted = (
            _voice_name(voice or asked.voice),
            speed or asked.speed or 1.0,
            language or asked.language or asked.lang_code,
        )
        if wanted not in self._found:
            switches = msgspec.to_builtins(asked.normalization) if asked.normalization else {}
            self._found[wanted] = await self._speech.manner(
                self._account,
                voice=wanted[0],
                model=asked.model,
                speed=wanted[1],
                language=wanted[2],
                lexicon=asked.lexicon,
                normalization={name: on for name, on in switches.items() if on is not None},
                seed=asked.seed,
                instructions=asked.instructions,
                markup=bool(asked.markup),
            )
        return self._found[wanted]


def _check_neutral(asked: Spoken) -> None:
    problems = FieldErrors()
    for odd in asked.objections(msgspec.structs.asdict(asked)):
        problems.add(odd.field, odd.message)
    problems.tell()
    if asked.lang_code is not None:
        check_language(asked.lang_code, field="lang_code")


def _voice_name(voice: str | VoiceReference | None) -> str | None:
    if not isinstance(voice, VoiceReference):
        return voice
    if (voice.id is None) == (voice.mix is None):
        raise bad_field("voice", "as an object has either an 'id' or a 'mix'")
    return spelled(voice.mix) if voice.mix is not None else voice.id


def _check_count(turns: int, most: int) -> None:
    if turns > most:
        raise TooLarge(f"The dialogue has {turns:,} turns; at most {most:,} are accepted. Send it in parts.")

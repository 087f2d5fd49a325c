"""Higgs Audio as a voice of the speech contract. Every request has a reference, which fixes the voice."""

import threading
import time
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from lectern_triton.higgs_engine import messages
from lectern_triton.vllm_omni_backend.audio_chunks import Chunker
from lectern_triton.vllm_omni_backend.configuration import (
    ConfigurationError,
    find_python,
    read_arguments,
    read_configuration,
)
from lectern_triton.vllm_omni_backend.engine import Engine, Limits
from lectern_triton.vllm_omni_backend.engine_connection import EngineGone, OutOfFrames
from lectern_triton.vllm_omni_backend.engine_process import Launch
from lectern_triton.vllm_omni_backend.metrics import EngineMetrics
from lectern_triton.vllm_omni_backend.model_card import default_voice, model_card
from lectern_triton.vllm_omni_backend.presets import Preset, find_preset, read_presets
from lectern_triton.vllm_omni_backend.prompt_audio import PromptAudio
from lectern_triton.vllm_omni_backend.voice_parameters import VoiceParameters, read_voice_parameters
from lectern_triton.voice_backend.trailing_silence import without_trailing_silence
from lectern_triton.voice_backend.voice import BadRequest, Chunk, Reference, Segment, Settings, Unavailable
from lectern_triton.voice_backend.words import find_words, marks_by_length

SILENCE: Final = 50  # frames of audio, 25 a second, around the speech
# A digit or a symbol may be one word or more; a character of a script without an alphabet, a syllable or a word.
WORDY: Final = 4.0  # times as long as a letter
BRISK: Final = 1.0  # frames a letter: 25 letters a second, faster than anybody speaks


class Voice:
    """A voice that one engine speaks."""

    def __init__(self, settings: Settings, metrics: EngineMetrics) -> None:
        """Starts the engine, which may take minutes. Raises ConfigurationError and EngineFailed."""
        folder = settings.folder.parent
        self._configuration = configuration = read_configuration(settings.parameters)
        self.concurrency = configuration.concurrency
        self._metrics = metrics
        self._prompt_audio = PromptAudio(configuration.longest_reference)
        self._presets = read_presets(folder / configuration.presets)
        self._preset_recordings = {name: self._preset_recording(preset) for name, preset in self._presets.items()}
        if configuration.default_voice and configuration.default_voice not in self._presets:
            known = ", ".join(self._presets) or "none"
            raise ConfigurationError(f"there is no preset {configuration.default_voice} (default_voice): {known}")
        launch = Launch(find_python(configuration), configuration.engine, folder, settings.folder)
        limits = Limits(configuration.load_timeout, configuration.health_interval, configuration.health_limit)
        self._engine = Engine(launch, read_arguments(settings.folder), limits, metrics)
        self._ready = self._engine.start()
        try:
            self._card = model_card(folder, configuration, self._presets, self._ready)
        except BaseException:
            self._engine.close()
            raise
        metrics.watch(self._engine)

    def card(self) -> Mapping[str, Any]:
        return self._card

    def is_ready(self) -> bool:
        return self._engine.up

    def speak(self, segment: Segment, stop: threading.Event) -> Iterator[Chunk]:
        """Yields the chunks of a segment.

        Raises BadRequest, Unavailable, RequestFailed, and EngineGone if the engine fails after the first chunk.
        """
        heard = 0  # samples
        for chunk in without_trailing_silence(self._audio(segment, stop), messages.RATE):
            heard += chunk.audio.size
            yield chunk
        if not stop.is_set():  # the engine reports no words: they get time in proportion to their length
            yield Chunk(np.empty(0, np.int16), tuple(marks_by_length(find_words(segment.text), 0, heard)))

    def _audio(self, segment: Segment, stop: threading.Event) -> Iterator[Chunk]:
        """Yields what the engine makes of a segment."""
        command = self._command(segment)
        number, stream, connection = self._engine.open()
        chunker = Chunker()
        began = time.monotonic()
        made = 0  # samples
        connection.send(messages.Speak(id=number, **command))
        try:
            for samples in stream.samples(stop, self._configuration.stall_timeout):
                made += len(samples) // 2
                yield from chunker.feed(samples)
        except EngineGone as error:
            if made:
                raise
            raise Unavailable(f"the engine failed before it had said anything: {error}") from None
        except OutOfFrames as error:
            raise OutOfFrames(
                f"the model had not come to the end of the text after {command['max_frames']} frames"
                f" ({made / messages.RATE:.2f} s)"
            ) from error
        if stop.is_set():
            return
        if made:
            self._metrics.spoken(made / messages.RATE, time.monotonic() - began)

    def close(self) -> None:
        self._engine.close()

    def _command(self, segment: Segment) -> dict[str, Any]:
        """Returns the fields of the engine's command for a segment. Raises BadRequest."""
        configuration = self._configuration
        parameters = read_voice_parameters(segment.voice)
        has_scene = self._ready.family == "v2"
        if parameters.instructions and not has_scene:
            raise BadRequest("this model takes no instructions: leave them out")
        scene = "\n".join(part for part in (configuration.scene, parameters.instructions.strip()) if part)
        reference = self._reference(segment.reference, parameters)
        sent = segment.previous
        previous = self._prompt_audio.convert(sent, "previous", needs_text=True) if sent is not None else None
        return {
            "text": segment.text,
            "reference": reference,
            "previous": previous,
            "scene": scene if has_scene else "",
            "sampling": parameters.sampling(configuration),
            "max_frames": frame_limit(segment.text, configuration.frames_per_character, configuration.most_frames),
        }

    def _reference(self, sent: Reference | None, parameters: VoiceParameters) -> messages.Recording:
        if sent is not None:
            if parameters.preset is not None:
                raise BadRequest("send a preset or reference_audio, not both")
            return self._prompt_audio.convert(sent, "reference", needs_text=self._ready.family == "v2")
        wanted = parameters.preset or default_voice(self._configuration, self._presets)
        if not wanted:
            raise BadRequest(
                "this model speaks in a voice that it is given: send reference_audio with reference_rate and"
                " reference_text, as it has no presets"
            )
        return self._preset_recordings[find_preset(self._presets, wanted).name]

    def _preset_recording(self, preset: Preset) -> messages.Recording:
        try:
            return self._prompt_audio.convert(preset.reference, "reference", needs_text=True)
        except BadRequest as error:
            raise ConfigurationError(f"the preset {preset.name} cannot be used: {error}") from None


def frame_limit(text: str, per_letter: float, limit: int) -> int:
    """Returns how many frames a text may take, so that a model that does not end by itself is ended.

    `limit` is the most that the model can make. Raises BadRequest for a text that cannot fit into it.
    """
    letters = wordy = 0
    for character in text:
        category = unicodedata.category(character)
        if category == "Lo" or category[0] in "NS":
            wordy += 1
        else:
            letters += 1
    if (letters + wordy) * BRISK > limit:
        raise BadRequest(
            f"the text is {len(text)} characters long, and this model speaks {limit / 25:.0f} s at most at a time:"
            " cut it into sentences"
        )
    return min(limit, round(SILENCE + per_letter * (letters + WORDY * wordy)))

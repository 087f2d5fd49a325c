"""Higgs Audio as the speech contract has it: every request with a reference voice, so that it is always the same."""

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from lectern_triton.higgs_engine import wire
from lectern_triton.vllm_omni_backend.card import card_of, default_voice
from lectern_triton.vllm_omni_backend.choice import Choice, read_choice
from lectern_triton.vllm_omni_backend.clips import Clips
from lectern_triton.vllm_omni_backend.configuration import (
    ConfigurationError,
    find_python,
    read_arguments,
    read_configuration,
)
from lectern_triton.vllm_omni_backend.connection import EngineGone, OutOfFrames
from lectern_triton.vllm_omni_backend.engine import Engine, Limits
from lectern_triton.vllm_omni_backend.figures import Figures
from lectern_triton.vllm_omni_backend.frames import most_frames
from lectern_triton.vllm_omni_backend.pieces import Pieces
from lectern_triton.vllm_omni_backend.presets import Preset, find_preset, read_presets
from lectern_triton.vllm_omni_backend.process import Command
from lectern_triton.voice_backend.protocol import BadRequest, Chunk, Reference, Segment, Settings, Unavailable


class Voice:
    """One engine's voice."""

    def __init__(self, settings: Settings, figures: Figures) -> None:
        """Start the engine, which may take minutes. Raises ConfigurationError and EngineFailed."""
        folder = settings.folder.parent
        self._configuration = configuration = read_configuration(settings.parameters)
        self.concurrency = configuration.concurrency
        self._figures = figures
        self._clips = Clips(configuration.longest_reference)
        self._presets = read_presets(folder / configuration.presets)
        self._preset_clips = {name: self._clip_of(preset) for name, preset in self._presets.items()}
        if configuration.default_voice and configuration.default_voice not in self._presets:
            known = ", ".join(self._presets) or "none"
            raise ConfigurationError(f"there is no preset {configuration.default_voice} (default_voice): {known}")
        command = Command(find_python(configuration), configuration.engine, folder, settings.folder)
        limits = Limits(configuration.load_timeout, configuration.health_interval, configuration.health_limit)
        self._engine = Engine(command, read_arguments(settings.folder), limits, figures)
        self._ready = self._engine.start()
        try:
            self._card = card_of(folder, configuration, self._presets, self._ready)
        except BaseException:
            self._engine.close()
            raise
        figures.watch(self._engine)

    def card(self) -> Mapping[str, Any]:
        return self._card

    def is_ready(self) -> bool:
        return self._engine.up

    def speak(self, segment: Segment, stop: threading.Event) -> Iterator[Chunk]:
        """Raises BadRequest, Unavailable, EngineGone once something was sent, RequestFailed."""
        order = self._order(segment)
        number, stream, connection = self._engine.open()
        pieces = Pieces(segment.text, segment.speed)
        began = time.monotonic()
        made = 0
        connection.order(wire.Speak(id=number, **order))
        try:
            for samples in stream.samples(stop, self._configuration.stall_timeout):
                made += len(samples) // 2
                yield from pieces.of(samples)
        except EngineGone as error:
            if made:
                raise
            raise Unavailable(f"the engine failed before it had said anything: {error}") from None
        except OutOfFrames as error:
            raise OutOfFrames(
                f"the model had not come to the end of the text after {order['max_frames']} frames"
                f" ({made / wire.RATE:.2f} s)"
            ) from error
        if stop.is_set():
            return
        if made:
            self._figures.made(made / wire.RATE, time.monotonic() - began)
        yield from pieces.last()

    def close(self) -> None:
        self._engine.close()

    def _order(self, segment: Segment) -> dict[str, Any]:
        """Return what the engine is told of a segment. Raises BadRequest."""
        configuration = self._configuration
        choice = read_choice(segment.voice)
        has_scene = self._ready.family == "v2"
        if choice.instructions and not has_scene:
            raise BadRequest("this model takes no instructions: leave them out")
        scene = "\n".join(part for part in (configuration.scene, choice.instructions.strip()) if part)
        previous = segment.previous
        return {
            "text": segment.text,
            "reference": self._reference(segment.reference, choice),
            "previous": self._clips.of(previous, "previous", needs_text=True) if previous is not None else None,
            "scene": scene if has_scene else "",
            "sampling": choice.sampling(configuration),
            "max_frames": most_frames(segment.text, configuration.frames_per_character, configuration.most_frames),
        }

    def _reference(self, sent: Reference | None, choice: Choice) -> wire.Clip:
        if sent is not None:
            if choice.preset is not None:
                raise BadRequest("send a preset or reference_audio, not both")
            return self._clips.of(sent, "reference", needs_text=self._ready.family == "v2")
        wanted = choice.preset or default_voice(self._configuration, self._presets)
        if not wanted:
            raise BadRequest(
                "this model speaks in a voice that it is given: send reference_audio with reference_rate and"
                " reference_text, as it has no presets"
            )
        return self._preset_clips[find_preset(self._presets, wanted).name]

    def _clip_of(self, preset: Preset) -> wire.Clip:
        try:
            return self._clips.of(preset.reference, "reference", needs_text=True)
        except BadRequest as error:
            raise ConfigurationError(f"the preset {preset.name} cannot be used: {error}") from None
